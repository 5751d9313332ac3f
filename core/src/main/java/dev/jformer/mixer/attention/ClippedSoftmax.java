package dev.jformer.mixer.attention;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Position;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * Attention with the clipped softmax of <a href="https://arxiv.org/abs/2306.12929">Quantizable
 * Transformers: Removing Outliers by Helping Attention Heads Do Nothing</a>. Each weight p becomes
 * {@code clip((ζ - γ) p + γ, 0, 1)} with γ ≤ 0 ≤ 1 ≤ ζ, so that a head can give exactly nothing
 * with finite logits, and gets no gradient there that would drive them apart.
 *
 * <p>γ is given by α as {@code γ = -α/T}, where T is the model's length, as in the authors' code,
 * also where a causal token sees fewer. The T×S matrix is stored, as the definition requires.
 */
public final class ClippedSoftmax extends Attention {
  /**
   * Configuration.
   *
   * @param heads H, must divide the width
   * @param keyValueHeads G, must divide H; 0 for as many as heads
   * @param alpha α, at least 0; the paper uses 2 to 12
   * @param zeta ζ, at least 1
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(int heads, int keyValueHeads, double alpha, double zeta)
      implements TokenMixer.Config {
    /** Defaults. */
    public Config() {
      this(4, 0, 4, 1);
    }

    /** Checks the values. */
    public Config {
      checkHeads(heads, keyValueHeads);
      if (!(alpha >= 0) || Double.isInfinite(alpha)) {
        throw new IllegalArgumentException("alpha is " + alpha + ": expected at least 0");
      }
      if (!(zeta >= 1) || Double.isInfinite(zeta)) {
        throw new IllegalArgumentException("zeta is " + zeta + ": expected at least 1");
      }
    }

    @Override
    public String type() {
      return "clipped-softmax";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new ClippedSoftmax(this, context, position);
    }
  }

  private final double gamma;
  private final double zeta;

  ClippedSoftmax(Config config, BlockContext context, Position position) {
    super(config.heads(), config.keyValueHeads(), context, position);
    this.gamma = -config.alpha() / context.length();
    this.zeta = config.zeta();
  }

  @Override
  protected Tensor attend(Heads h, AttentionMask mask) {
    return weights(h, mask).matmul(repeatGroups(h.value()));
  }

  /** The clipped weights: [B, H, T, S]. Their rows need not sum to one. */
  @Override
  protected Tensor weights(Heads h, AttentionMask mask) {
    Tensor softmax = Functional.safeSoftmax(logits(h, mask), -1);
    return softmax.mul(zeta - gamma).add(gamma).clamp(0, 1);
  }
}
