package dev.jformer.model;

import dev.jformer.ffn.ChannelMixer;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Projection;
import dev.jformer.nn.Residual;
import java.util.function.Consumer;

/**
 * Configuration of a model whose blocks all have the same parts. Code for any model can read and
 * replace these parts through it:
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

  /** Returns this configuration with other blocks. */
  C withBlock(BlockConfig block);

  /** Returns this configuration with some parts of its blocks replaced. */
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

  /** The placement of the normalisation. */
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

  /** The layer that the output of each part of a block passes before it is added. */
  default Residual residual() {
    return block().residual();
  }

  /** The initialisation of the weights. */
  default BlockContext.Init init() {
    return block().init();
  }

  /** The kind of linear layers in the blocks. */
  default Projection projection() {
    return block().projection();
  }
}
