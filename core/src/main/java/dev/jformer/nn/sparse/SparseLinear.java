package dev.jformer.nn.sparse;

import com.google.auto.service.AutoService;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Projection;
import dev.jformer.nn.internal.BitMask;
import dev.jformer.nn.internal.Derived;
import dev.jformer.nn.internal.GroupPatterns;
import dev.jformer.nn.internal.Int8Rows;
import dev.jformer.nn.internal.NonzeroPositions;
import dev.jformer.nn.quantized.Roundable;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Int8;
import dev.jformer.tensor.MetaMode;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * A linear layer {@code x Wᵀ + b}, [..., in] to [..., out], that stores only the weights that are
 * not zero, for <a href="https://arxiv.org/abs/2306.03805">The Emergence of Essential Sparsity in
 * Large Pre-trained Models: The Weights that Matter</a> and <a
 * href="https://arxiv.org/abs/2202.02643">The Unreasonable Effectiveness of Random Pruning: Return
 * of the Most Naive Baseline for Sparse Training</a>. It stores them row by row, and their
 * positions as a bit mask or as the patterns of N:M sparsity. Only these values get gradients and
 * weight decay, so the mask stays the same in training, and the optimizer's state is as small as
 * the values.
 *
 * <p>In training the matrix is made by scattering the values, so that gradients flow. In inference
 * it is written out in each pass and released again: this takes no noticeable time for batches, but
 * most of the time for few tokens, as in decoding; {@link Execution#DENSE} keeps it instead. On the
 * CPUs that this was measured on, products that skip zeros gain nothing: libtorch's product of a
 * CSR matrix of 1536 x 384 with a density of 5 % takes 18 times as long as the dense one for one
 * row and 2.2 times for 1,024. The gain is in memory and file size.
 *
 * <p>With 8 bits the values are integers with a scale for each row, the largest absolute value over
 * 127; such a layer cannot be trained.
 */
public final class SparseLinear extends Layer implements Roundable.Rounded {
  /** How the whole matrix is handled. */
  public enum Execution {
    /** It is computed in each pass; memory is as small as the file. */
    FRUGAL,
    /** It is kept from the first pass on: as fast and as large as a plain layer. */
    DENSE
  }

  /**
   * Configuration.
   *
   * @param density share of the weights that a new layer keeps, drawn at random; in pruned models,
   *     the overall share of kept weights
   * @param keep N of N:M sparsity; 0 for weights kept anywhere
   * @param of M of N:M sparsity, 2 to 8; 0 for weights kept anywhere
   * @param bits bits of a value: 32, or 8 for models that are already trained
   * @param execution how the whole matrix is handled
   */
  @AutoService(Projection.class)
  public record Config(double density, int keep, int of, int bits, Execution execution)
      implements Roundable {
    /** Default: half of the weights, anywhere. */
    public Config() {
      this(0.5);
    }

    /** A share of the weights, anywhere. */
    public Config(double density) {
      this(density, 0, 0, 32, Execution.FRUGAL);
    }

    /** N of each M adjacent weights in a row. */
    public Config(int keep, int of) {
      this((double) keep / of, keep, of, 32, Execution.FRUGAL);
    }

    /** Checks the values. */
    public Config {
      if (!(density > 0 && density <= 1)) {
        throw new IllegalArgumentException(
            "density is " + density + ": expected a share in (0, 1]");
      }
      if ((keep != 0 || of != 0)
          && !(keep > 0 && keep < of && of >= 2 && of <= GroupPatterns.WIDEST)) {
        throw new IllegalArgumentException(
            "keep is "
                + keep
                + " and of is "
                + of
                + ": expected keep below of, and of from 2 to "
                + GroupPatterns.WIDEST
                + ", such as 2 of 4; or both 0");
      }
      if (of > 0 && density != (double) keep / of) {
        throw new IllegalArgumentException(
            "density is " + density + ": expected " + keep + "/" + of + " where both are given");
      }
      Roundable.checkBits(bits);
      if (execution == null) {
        throw new IllegalArgumentException("execution is null: expected frugal or dense");
      }
    }

    @Override
    public String type() {
      return "sparse";
    }

    @Override
    public Config withBits(int other) {
      return new Config(density, keep, of, other, execution);
    }

    /** This configuration with another density. */
    public Config withDensity(double other) {
      return new Config(other, keep, of, bits, execution);
    }

    @Override
    public SparseLinear build(long in, long out, boolean bias, Initializer initializer) {
      return new SparseLinear(this, in, out, bias, initializer);
    }

    private NonzeroPositions positions(long out, long in) {
      return of == 0 ? new BitMask(out, in) : new GroupPatterns(out, in, keep, of);
    }

    private long count(long out, long in) {
      return of == 0 ? Math.max(1, Math.round(density * out * in)) : out * (in / of) * keep;
    }

    /** Draws a mask with the number of weights of a new layer, all equally likely: [out, in]. */
    private Tensor drawn(long out, long in) {
      if (of > 0) {
        Tensor chance = Tensor.rand(out, in / of, of);
        return largest(chance.flatten(0, 1), keep).reshape(out, in);
      }
      return largest(Tensor.rand(1, out * in), count(out, in)).reshape(out, in);
    }

    private static Tensor largest(Tensor rows, long count) {
      Tensor best = rows.topK(Math.toIntExact(count), 1).indices();
      return rows.zerosLike().scatter(1, best, 1.0).gt(0);
    }
  }

  private final Config config;
  private final long in;
  private final long out;
  private final NonzeroPositions positions;
  private final Parameter values;
  private final Parameter scale;
  private final Parameter bias;
  private final Derived<Tensor> indices = Derived.tensor();
  private final Derived<Tensor> whole = Derived.tensor();

  SparseLinear(Config config, long in, long out, boolean bias, Initializer initializer) {
    this.config = config;
    this.in = in;
    this.out = out;
    this.positions = config.positions(out, in);
    boolean small = config.bits() == 8;
    this.values = values(small, initializer);
    this.scale = small ? Parameter.buffer(Tensor.zeros(out)) : null;
    this.bias = bias ? bias(small, out) : null;
    register("values", values);
    register(positions.name(), positions.code());
    if (scale != null) {
      register("scale", scale);
    }
    if (bias) {
      register("bias", this.bias);
    }
  }

  private static Parameter bias(boolean small, long out) {
    Tensor zeros = Tensor.zeros(out);
    return small ? Parameter.buffer(zeros) : Parameter.trained(zeros);
  }

  /**
   * The values as a matrix of one row, because the optimizer applies weight decay only to matrices.
   */
  private Parameter values(boolean small, Initializer initializer) {
    boolean ragged = config.of() == 0;
    long count = config.count(out, in);
    DType dtype = small ? DType.INT8 : DType.FLOAT32;
    if (small || MetaMode.isOpen()) {
      Tensor none = Tensor.zeros(dtype, 1, count);
      return ragged ? Parameter.ragged(none, !small) : fixed(none, !small);
    }
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor matrix = initializer.create(out, in);
      positions.set(config.drawn(out, in));
      Tensor kept = gathered(matrix);
      return ragged ? Parameter.ragged(kept, true) : fixed(kept, true);
    }
  }

  private static Parameter fixed(Tensor initial, boolean trainable) {
    return trainable ? Parameter.trained(initial) : Parameter.buffer(initial);
  }

  /** Picks the elements of a matrix [out, in] at this layer's positions: [1, count]. */
  private Tensor gathered(Tensor matrix) {
    long[] places = positions.indices();
    return matrix.reshape(1, -1).indexSelect(1, Tensor.of(places, places.length));
  }

  @Override
  public Tensor forward(Tensor x) {
    Tensor offset = bias == null ? null : bias.value();
    if (config.bits() == 8) {
      if (isTraining()) {
        throw new UnsupportedOperationException(
            "a sparse layer of 8-bit values cannot be trained: train the model before it is"
                + " compressed, or switch it to inference");
      }
      return Functional.linear(x, weight().to(x.dtype()), to(offset, x.dtype()));
    }
    return Functional.linear(x, needsGradient() ? scattered() : weight(), offset);
  }

  private static Tensor to(Tensor offset, DType dtype) {
    return offset == null ? null : offset.to(dtype);
  }

  private boolean needsGradient() {
    return values.value().dtype() != DType.FLOAT32
        || (Autograd.isEnabled() && values.value().requiresGrad());
  }

  /** The matrix [out, in], with gradients. */
  private Tensor scattered() {
    Tensor row = Tensor.zeros(values.value().dtype(), 1, out * in);
    return row.scatter(1, indices(), values.value()).view(out, in);
  }

  /** The whole matrix [out, in] without gradients; float32, or float64 for float64 values. */
  public Tensor weight() {
    return config.execution() == Execution.FRUGAL
        ? written()
        : whole.get(
            () -> written().keep(),
            positions.code().value(),
            values.value(),
            scale == null ? null : scale.value());
  }

  private Tensor written() {
    try (Mode mode = Autograd.noGrad()) {
      if (values.value().dtype() == DType.FLOAT64) {
        return scattered();
      }
      Tensor numbers = values.value().detach().to(DType.FLOAT32).contiguous();
      check(numbers.elements());
      Tensor matrix = Tensor.zeros(out, in);
      positions.spread(numbers.asBuffer().asFloatBuffer(), matrix.asBuffer().asFloatBuffer());
      return scale == null ? matrix : matrix.mul_(scale.value().unsqueeze(1));
    }
  }

  private void check(long count) {
    if (positions.count() != count) {
      throw new IllegalStateException(
          "a sparse layer has "
              + count
              + " values and "
              + positions.count()
              + " positions: its weights are damaged");
    }
  }

  private Tensor indices() {
    return indices.get(
        () -> {
          long[] places = positions.indices();
          check(values.value().elements());
          return Tensor.of(places, 1, places.length).keep();
        },
        positions.code().value());
  }

  /**
   * Copies the kept elements of a matrix to this layer.
   *
   * @param matrix [out, in]
   * @param mask bool [out, in], true for the elements to keep
   * @throws IllegalArgumentException if this layer's kind of sparsity cannot hold the mask, or
   *     values are not finite
   */
  public void fill(Tensor matrix, Tensor mask) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor plain = Int8Rows.finite(matrix);
      positions.set(mask);
      if (scale == null) {
        values.copyFrom(gathered(plain));
      } else {
        Tensor kept = plain.to(DType.FLOAT64).mul(mask.to(DType.FLOAT64));
        Tensor step = kept.abs().max(1, true).mul(1.0 / Int8.LEVELS);
        Tensor divisor = step.where(step.gt(0), Tensor.ones(1).to(DType.FLOAT64));
        scale.copyFrom(step.squeeze(1));
        values.copyFrom(gathered(kept.div(divisor).round()));
      }
    }
    forget();
  }

  @Override
  public void fill(Module other) {
    SparseLinear wide = (SparseLinear) other;
    fill(wide.weight(), wide.mask());
  }

  /** The mask of the values' positions: bool [out, in]. */
  public Tensor mask() {
    return Scope.tidy(
        () -> {
          long[] places = positions.indices();
          return Tensor.zeros(1, out * in)
              .scatter(1, Tensor.of(places, 1, places.length), 1.0)
              .gt(0)
              .view(out, in);
        });
  }

  @Override
  protected void checkOwnParameters() {
    positions.check(values.value().elements());
  }

  /** The values, [1, count], row by row. */
  public Parameter values() {
    return values;
  }

  /** The bias [out], or null. */
  public Parameter bias() {
    return bias;
  }

  /** The bytes of the matrix, if it is kept, and of the positions as training needs them. */
  @Override
  public long derivedBytes() {
    return Derived.bytes(indices) + Derived.bytes(whole);
  }

  @Override
  protected void forget() {
    indices.forget();
    whole.forget();
  }
}
