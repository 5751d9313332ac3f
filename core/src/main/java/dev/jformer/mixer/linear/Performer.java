package dev.jformer.mixer.linear;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.ScheduledModule;
import dev.jformer.position.Position;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Softmax attention estimated by random features, of <a
 * href="https://arxiv.org/abs/2009.14794">Rethinking Attention with Performers</a>, one of the
 * mixers of <a href="https://arxiv.org/abs/2103.14636">A Practical Survey on Faster and Lighter
 * Transformers</a>. The features are FAVOR+, positive and orthogonal: φ(x) = exp(w·x' - |x'|²/2) /
 * √m with x' = x / d^¼, whose products' expectation is exp(q·k/√d). Rows w are orthogonal in groups
 * of d, as long as normal vectors are. Time and memory are O(T m).
 *
 * <p>Queries' features are divided by their largest, which cancels out. Keys' features are not
 * divided by the largest of all tokens, as in the authors' code, because that would look ahead. So
 * those of large keys are too small for a float32. A tiny number is added to the features of every
 * key (the authors add 1e-4 of the largest), so that where all are so small a query takes the mean
 * of the values, as in the authors' code, and not zero. Exponents that would overflow are cut.
 */
public final class Performer extends RatioAttention implements ScheduledModule {
  private static final Operator QR = Operator.named("aten::linalg_qr");

  /** Added to keys' features: smaller than any meaningful one, which are 1 for a key of zeros. */
  private static final double FLOOR = 1e-27;

  /** Added to sums of features, which are zero at padding only; far below {@link #FLOOR}. */
  private static final double EPSILON = 1e-33;

  /** Larger exponents of keys are cut, so that sums over many keys do not overflow. */
  private static final double LARGEST_EXPONENT = 60;

  /** Heads of at most this width have no larger exponents, but by rare chance. */
  private static final int NARROW = 80;

  /**
   * Configuration.
   *
   * @param heads H, must divide the width
   * @param features m, number of features of each head
   * @param redraw number of updates after which the features are redrawn in training; 0 for never
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(int heads, int features, int redraw) implements TokenMixer.Config {
    /** Defaults: 128 fixed features. */
    public Config() {
      this(4, 128, 0);
    }

    /** Checks the values. */
    public Config {
      checkHeads(heads, 0);
      if (features < 1 || redraw < 0) {
        throw new IllegalArgumentException(
            "features is " + features + " and redraw " + redraw + ": expected at least 1 and 0");
      }
    }

    @Override
    public String type() {
      return "performer";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new Performer(this, context, position);
    }
  }

  private final int redraw;
  private final Parameter directions;

  Performer(Config config, BlockContext context, Position position) {
    super(config.heads(), context, position, EPSILON);
    this.redraw = config.redraw();
    this.directions = buffer("directions", draw(headDim(), config.features()));
  }

  /** Draws rows that are orthogonal in groups of d and as long as normal vectors: [m, d]. */
  private static Tensor draw(int d, int features) {
    List<Tensor> groups = new ArrayList<>();
    for (int drawn = 0; drawn < features; drawn += d) {
      List<Tensor> factors = QR.callAll(Tensor.randn(d, d));
      // Directions are uniform only if the diagonal of R is positive; without this the estimate is
      // biased.
      Tensor signs = factors.get(1).tril(0).triu(0).sum(0, false).sign();
      Tensor orthogonal = factors.get(0).mul(signs);
      groups.add(orthogonal.t().narrow(0, 0, Math.min(d, features - drawn)));
    }
    Tensor lengths = Tensor.randn(features, d).square().sum(1, true).sqrt();
    return Tensor.cat(0, groups.toArray(Tensor[]::new)).mul(lengths);
  }

  @Override
  public void before(long step, long steps) {
    if (redraw > 0 && step > 0 && step % redraw == 0) {
      directions.copyFrom(draw(headDim(), (int) directions.value().size(0)));
    }
  }

  /**
   * Estimates the softmax kernel {@code exp(q·k / √d)} of pairs of a query and a key: the mean over
   * the features of {@code exp(w·(q' + k') - (|q'|² + |k'|²)/2)}. The estimate is unbiased over
   * draws of the directions w, and its squared error falls with 1/m.
   *
   * @param q queries [N, d], d being the width of a head
   * @param k keys [N, d]
   * @return [N]
   */
  public Tensor kernel(Tensor q, Tensor k) {
    return exponents(q).add(exponents(k)).exp().mean(-1, false);
  }

  /** The exponents w·x' - |x'|²/2: [..., m] for x [..., d]. */
  private Tensor exponents(Tensor x) {
    Tensor scaled = x.mul(Math.pow(headDim(), -0.25));
    Tensor half = scaled.square().sum(-1, true).mul(0.5);
    return scaled.matmul(directions.value().to(x.dtype()).t()).sub(half);
  }

  @Override
  Tensor features(Tensor x) {
    Tensor exponents = exponents(x);
    return exponents.sub(exponents.max(3, true).detach()).exp();
  }

  @Override
  Tensor keyFeatures(Tensor x) {
    Tensor exponents = exponents(x);
    Tensor bounded =
        headDim() <= NARROW
            ? exponents
            : exponents.clamp(Double.NEGATIVE_INFINITY, LARGEST_EXPONENT);
    return bounded.exp().add(FLOOR);
  }

  /** A quotient, whose gradient does not need the square of a tiny number's reciprocal. */
  @Override
  Tensor ratio(Tensor sums, Tensor total) {
    return sums.div(total.add(EPSILON));
  }
}
