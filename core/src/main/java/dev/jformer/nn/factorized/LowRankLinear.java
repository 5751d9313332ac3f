package dev.jformer.nn.factorized;

import com.google.auto.service.AutoService;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Projection;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.MetaMode;
import dev.jformer.tensor.Tensor;

/**
 * A linear layer {@code (x Aᵀ) Bᵀ + b}, [..., in] to [..., out], whose weight BA has a low rank r:
 * A is [r, in] and B [out, r]. The plainest factorization, which others are measured against (as in
 * arXiv 2312.13211). It trains as it is.
 */
public final class LowRankLinear extends Layer {
  /**
   * Configuration.
   *
   * @param factor how many times fewer bytes the factors take than the matrix would; the rank is
   *     the highest of which that is true
   */
  @AutoService(Projection.class)
  public record Config(double factor) implements Projection {
    /** Half of the bytes. */
    public Config() {
      this(2);
    }

    /** Checks the value. */
    public Config {
      DenseSparseLinear.Config.check(factor, 1, 1);
    }

    @Override
    public String type() {
      return "low-rank";
    }

    @Override
    public LowRankLinear build(long in, long out, boolean bias, Initializer initializer) {
      return new LowRankLinear(rank(in, out), in, out, bias, initializer);
    }

    private long rank(long in, long out) {
      long rank = (long) Math.floor((double) in * out / (factor * (in + out)));
      if (rank < 1) {
        throw new IllegalArgumentException(
            "a layer of "
                + in
                + " inputs and "
                + out
                + " outputs has no factors of 1/"
                + factor
                + " of its bytes: not even those of rank 1; choose a smaller factor");
      }
      return rank;
    }
  }

  private final Parameter down;
  private final Parameter up;
  private final Parameter bias;

  /** The product of what is drawn has the variance of what the initializer makes. */
  LowRankLinear(long rank, long in, long out, boolean bias, Initializer initializer) {
    this.down = parameter("down", initializer.create(rank, in));
    this.up =
        parameter(
            "up",
            MetaMode.isOpen()
                ? Tensor.zeros(out, rank)
                : Tensor.randn(out, rank).mul(1 / Math.sqrt((double) rank)));
    this.bias = bias ? parameter("bias", Tensor.zeros(out)) : null;
  }

  @Override
  public Tensor forward(Tensor x) {
    Tensor narrow = Functional.linear(x, down.value(), null);
    return Functional.linear(narrow, up.value(), bias == null ? null : bias.value());
  }

  /** r. */
  public long rank() {
    return down.value().size(0);
  }

  /** A [r, in]. */
  public Parameter down() {
    return down;
  }

  /** B [out, r]. */
  public Parameter up() {
    return up;
  }
}
