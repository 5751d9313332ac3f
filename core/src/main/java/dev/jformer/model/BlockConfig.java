package dev.jformer.model;

import dev.jformer.config.Checks;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Identity;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Projection;
import dev.jformer.nn.Residual;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * Configuration of the blocks of a model, which all have the same parts.
 *
 * @param mixer the token mixer
 * @param ffn the channel mixer
 * @param norm the normalisation
 * @param firstNorm whether the token mixer of the first block has a norm; ModernBERT, whose
 *     embeddings have one, has none there
 * @param placement the placement of the normalisation
 * @param bias whether linear layers have a bias
 * @param dropout probability of dropout, on the input of the first block and on the output of each
 *     part of a block
 * @param residual the layer that the output of each part of a block passes before it is added
 * @param init the initialisation of the weights
 * @param projection the kind of linear layers
 */
@RecordBuilder
public record BlockConfig(
    TokenMixer.Config mixer,
    ChannelMixer.Config ffn,
    Norm.Config norm,
    boolean firstNorm,
    NormPlacement placement,
    boolean bias,
    double dropout,
    Residual residual,
    BlockContext.Init init,
    Projection projection)
    implements BlockConfigBuilder.With {
  /** A block of GPT-2: softmax attention and a perceptron, each after a layer normalisation. */
  public BlockConfig() {
    this(
        new SoftmaxAttention.Config(),
        new Mlp.Config(),
        new Norm.LayerNormConfig(),
        true,
        NormPlacement.PRE,
        true,
        0,
        new Residual(),
        new BlockContext.Init(),
        new Linear.Config());
  }

  /** Checks the values. */
  public BlockConfig {
    Checks.notNull("mixer", mixer);
    Checks.notNull("ffn", ffn);
    Checks.notNull("norm", norm);
    Checks.notNull("placement", placement);
    Checks.probability("dropout", dropout);
    Checks.notNull("residual", residual);
    Checks.notNull("init", init);
    Checks.notNull("projection", projection);
  }

  /** Builds the norm of a block's token mixer. */
  Layer mixerNorm(BlockContext context) {
    return context.layer() > 0 || firstNorm ? norm.build(context.width()) : new Identity();
  }

  /**
   * Returns the context of a block with these parts.
   *
   * @param width D
   * @param layer index of the block among {@code layers}, from 0
   * @param length the longest sequence, in tokens
   * @param rows number of rows in which tokens are arranged
   */
  public BlockContext context(
      int width, int layer, int layers, int length, boolean causal, int rows) {
    return new BlockContext(
        width, layer, layers, length, causal, bias, dropout, init, projection, rows);
  }
}
