package dev.jformer.model;

import dev.jformer.ffn.ChannelMixer;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Projection;
import dev.jformer.nn.Residual;
import java.util.function.Consumer;

/**
 * Configuration of a model whose blocks are all made of the same parts. It lets code that serves
 * any model see these parts and exchange them:
 *
 * <pre>{@code
 * if (config instanceof HasBlocks<?> model) {
 *   Model.Config other = model.withBlock(b -> b.mixer(new FlowAttention.Config()));
 * }
 * }</pre>
 *
 * @param <C> the configuration itself
 */
public interface HasBlocks<C extends Model.Config> {
  /** The parts of the blocks. */
  BlockConfig block();

  /** This configuration with other blocks. */
  C withBlock(BlockConfig block);

  /** This configuration with some parts of its blocks exchanged. */
  default C withBlock(Consumer<BlockConfigBuilder> change) {
    return withBlock(block().with(change));
  }

  /** The token mixer of every block. */
  default TokenMixer.Config mixer() {
    return block().mixer();
  }

  /** The channel mixer of every block. */
  default ChannelMixer.Config ffn() {
    return block().ffn();
  }

  /** The normalisation. */
  default Norm.Config norm() {
    return block().norm();
  }

  /** Where blocks normalise. */
  default NormPlacement placement() {
    return block().placement();
  }

  /** Whether linear layers have a bias. */
  default boolean bias() {
    return block().bias();
  }

  /** Probability of dropout. */
  default double dropout() {
    return block().dropout();
  }

  /** What becomes of the parts of a block before they are added. */
  default Residual residual() {
    return block().residual();
  }

  /** How the weights start. */
  default BlockContext.Init init() {
    return block().init();
  }

  /** What the linear layers of the blocks are. */
  default Projection projection() {
    return block().projection();
  }
}
