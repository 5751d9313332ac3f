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
 * A is [r, in] and B [out, r]. It is the simplest factorization, a baseline for others, as in <a
 * href="https://arxiv.org/abs/2312.13211">DSFormer: Effective Compression of Text-Transformers by
 * Dense-Sparse Weight Factorization</a>. It can be trained.
 */
public final class LowRankLinear extends Layer {
  /**
   * Configuration.
   *
   * @param factor the compression: bytes of the matrix over those of the factors; the rank is the
   *     highest that achieves it
   */
  @AutoService(Projection.class)
  public record Config(double factor) implements Projection {
    /** Default: half of the bytes. */
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

  /** Draws factors whose product has the variance of the initializer. */
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

  /** The rank r. */
  public long rank() {
    return down.value().size(0);
  }

  /** The factor A [r, in]. */
  public Parameter down() {
    return down;
  }

  /** The factor B [out, r]. */
  public Parameter up() {
    return up;
  }
}
