package dev.jformer.mixer.linear;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Position;
import dev.jformer.tensor.Tensor;

/**
 * Linear attention (<a href="https://arxiv.org/abs/2006.16236">Transformers are RNNs: Fast
 * Autoregressive Transformers with Linear Attention</a>): out_t = Σ_j φ(q_t)·φ(k_j) v_j / Σ_j
 * φ(q_t)·φ(k_j) with φ(x) = elu(x) + 1. As in the authors' code, 1e-6 is added to the denominator.
 * Time and memory are O(T).
 */
public final class LinearAttention extends RatioAttention {
  private static final double EPSILON = 1e-6;

  /**
   * Configuration.
   *
   * @param heads H, must divide the width
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(int heads) implements TokenMixer.Config {
    /** Defaults. */
    public Config() {
      this(4);
    }

    /** Checks the values. */
    public Config {
      checkHeads(heads, 0);
    }

    @Override
    public String type() {
      return "linear";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new LinearAttention(heads, context, position);
    }
  }

  LinearAttention(int heads, BlockContext context, Position position) {
    super(heads, context, position, EPSILON);
  }

  /**
   * Computes elu(x) + 1 as max(x, 0) + exp(min(x, 0)), several times faster than libtorch's elu.
   */
  @Override
  Tensor features(Tensor x) {
    Tensor positive = x.relu();
    return x.sub(positive).exp().add(positive);
  }
}
