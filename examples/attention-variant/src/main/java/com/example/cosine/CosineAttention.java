package com.example.cosine;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.Attention;
import dev.jformer.mixer.attention.AttentionMask;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Parameter;
import dev.jformer.position.Position;
import dev.jformer.tensor.Tensor;

/**
 * Cosine attention: the logit of a query and a key is the cosine of the angle between them, times a
 * learned factor g (<a href="https://arxiv.org/abs/2010.04245">Query-Key Normalization for
 * Transformers</a>, arXiv 2010.04245). So logits lie between -g and g, however large activations
 * grow. Each head has a g of its own, as in Swin Transformer V2 (arXiv 2111.09883).
 */
public final class CosineAttention extends Attention {
  /**
   * Configuration.
   *
   * @param heads number of heads, must divide the width
   * @param keyValueHeads heads of keys and values, must divide the heads; 0 for as many
   * @param scale g at the start; 0 for log2(L² - L) as in the paper, L being the model's length
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(int heads, int keyValueHeads, double scale) implements TokenMixer.Config {
    /** The defaults, for fields that a recipe leaves out. */
    public Config() {
      this(4, 0, 0);
    }

    /** Checks the values. */
    public Config {
      checkHeads(heads, keyValueHeads);
      if (!(scale >= 0)) {
        throw new IllegalArgumentException("scale is " + scale + ": expected at least 0");
      }
    }

    @Override
    public String type() {
      return "cosine";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new CosineAttention(this, context, position);
    }
  }

  /** g of each head: [H, 1, 1]. */
  private final Parameter scale;

  CosineAttention(Config config, BlockContext context, Position position) {
    super(config.heads(), config.keyValueHeads(), context, position);
    double start = config.scale() > 0 ? config.scale() : paperScale(context.length());
    this.scale = parameter("scale", Initializer.constant(start).create(config.heads(), 1, 1));
  }

  private static double paperScale(double length) {
    return Math.max(1, Math.log(length * length - length) / Math.log(2));
  }

  /** The fused kernel multiplies logits by 1/√d, so the queries bring g √d. */
  @Override
  protected Tensor attend(Heads heads, AttentionMask mask) {
    return SoftmaxAttention.fused(normalized(heads), mask);
  }

  /** The matrix for analysis must be the one that {@link #attend} uses. */
  @Override
  protected Tensor weights(Heads heads, AttentionMask mask) {
    return super.weights(normalized(heads), mask);
  }

  private Heads normalized(Heads heads) {
    Tensor query = unit(heads.query()).mul(scale.value()).mul(Math.sqrt(headDim()));
    return new Heads(query, unit(heads.key()), heads.value());
  }

  /** Vectors of length one. */
  private static Tensor unit(Tensor x) {
    return x.mul(x.square().sum(-1, true).add(1e-12).rsqrt());
  }
}
