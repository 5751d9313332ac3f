package dev.jformer.nn.sparse;

import com.google.auto.service.AutoService;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Projection;
import dev.jformer.nn.internal.BitMask;
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
import java.util.List;

/**
 * A linear layer {@code x Wᵀ + b}, [..., in] to [..., out], that stores only the weights that are
 * not zero, for <a href="https://arxiv.org/abs/2306.03805">The Emergence of Essential Sparsity in
 * Large Pre-trained Models: The Weights that Matter</a> and <a
 * href="https://arxiv.org/abs/2202.02643">The Unreasonable Effectiveness of Random Pruning: Return
 * of the Most Naive Baseline for Sparse Training</a>. It keeps them row after row, and their places
 * in a bit for each element, or as the patterns of N:M sparsity. Gradients flow to the values that
 * there are, and so does weight decay, so a mask holds through training; the optimizer's state is
 * as small as the values.
 *
 * <p>In training the matrix is made by scattering the values, for gradients to flow. In inference
 * it is written out for each pass and dropped again: of no account for batches, most of the time
 * where few tokens pass, as in decoding. There {@link Execution#DENSE} keeps it. On the CPUs that
 * this was measured on, products that skip zeros gain nothing: libtorch's product of a CSR matrix
 * of 1536 x 384 with a density of 5 % takes 18 times as long as the dense one for one row and 2.2
 * times for 1,024. What is gained is memory and files.
 *
 * <p>With 8 bits the values are integers with a scale for each row, the largest absolute value over
 * 127; such a layer does not train.
 */
public final class SparseLinear extends Layer implements Roundable.Rounded {
  /** What becomes of the whole matrix. */
  public enum Execution {
    /** It is made for each pass, and memory holds what files do. */
    FRUGAL,
    /** It is kept from the first pass on: as fast as a plain layer and, then, as large. */
    DENSE
  }

  /**
   * Configuration.
   *
   * @param density share of the weights that a new layer keeps, drawn at random; models made of
   *     others keep what they were given, and here stands their overall share
   * @param keep N of N:M sparsity; 0 for weights kept anywhere
   * @param of M of N:M sparsity, 2 to 8; 0 for weights kept anywhere
   * @param bits of a value: 32, or 8 for models that are trained
   * @param execution what becomes of the whole matrix
   */
  @AutoService(Projection.class)
  public record Config(double density, int keep, int of, int bits, Execution execution)
      implements Roundable {
    /** Half of the weights, anywhere. */
    public Config() {
      this(0.5);
    }

    /** A share of the weights, anywhere. */
    public Config(double density) {
      this(density, 0, 0, 32, Execution.FRUGAL);
    }

    /** N of each M neighbours in a row. */
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
                + ": expected fewer than of, and of from 2 to "
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

    /** The same with another share. */
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

    /** A mask of as many places as a new layer has, each as likely as the other: [out, in]. */
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
  private List<Object> madeFrom;
  private Tensor indices;
  private Tensor whole;

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

  /** In one row, for the optimizer lets vectors be, and matrices decay. */
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

  /** The elements of a matrix [out, in] where this layer has values: [1, count]. */
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
            "a sparse layer of 8-bit values does not train: train the model before it is"
                + " compressed, or switch it to inference");
      }
      return Functional.linear(x, weight().to(x.dtype()), to(offset, x.dtype()));
    }
    return Functional.linear(x, learns() ? scattered() : weight(), offset);
  }

  private static Tensor to(Tensor offset, DType dtype) {
    return offset == null ? null : offset.to(dtype);
  }

  private boolean learns() {
    return values.value().dtype() != DType.FLOAT32
        || (Autograd.isEnabled() && values.value().requiresGrad());
  }

  /** The matrix [out, in], which gradients flow from. */
  private Tensor scattered() {
    Tensor row = Tensor.zeros(values.value().dtype(), 1, out * in);
    return row.scatter(1, indices(), values.value()).view(out, in);
  }

  /** The whole matrix [out, in], float32 but for values of float64; without gradients. */
  public Tensor weight() {
    if (config.execution() == Execution.FRUGAL) {
      return written();
    }
    refresh();
    if (whole == null) {
      try (Scope scope = Scope.open();
          Mode ordinary = Autograd.noInference();
          Mode mode = Autograd.noGrad()) {
        whole = written().keep();
      }
    }
    return whole;
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
              + " places for them: its weights are damaged");
    }
  }

  private Tensor indices() {
    refresh();
    if (indices == null) {
      try (Scope scope = Scope.open();
          Mode mode = Autograd.noInference()) {
        long[] places = positions.indices();
        check(values.value().elements());
        indices = Tensor.of(places, 1, places.length).keep();
      }
    }
    return indices;
  }

  /** Forgets what was made of values or places that have changed since. */
  private void refresh() {
    Tensor code = positions.code().value();
    Tensor held = values.value();
    Tensor steps = scale == null ? code : scale.value();
    List<Object> now =
        config.execution() == Execution.FRUGAL
            ? List.of(code, code.version())
            : List.of(code, code.version(), held, held.version(), steps, steps.version());
    if (!now.equals(madeFrom)) {
      forget();
      madeFrom = now;
    }
  }

  /**
   * Takes over a part of a matrix.
   *
   * @param matrix [out, in]
   * @param mask bool [out, in], true where its values are kept
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

  /** Where values stand: bool [out, in]. */
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

  /** The values, [1, count], in the order of the rows that they stand in. */
  public Parameter values() {
    return values;
  }

  /** The bias [out], or null. */
  public Parameter bias() {
    return bias;
  }

  /** Those of the matrix, where it is kept, and of what training needs to know of the places. */
  @Override
  public long derivedBytes() {
    long index = indices == null ? 0 : Long.BYTES * indices.elements();
    return index + (whole == null ? 0 : whole.elements() * whole.dtype().bytes());
  }

  @Override
  protected void forget() {
    madeFrom = null;
    if (indices != null) {
      indices.close();
      indices = null;
    }
    if (whole != null) {
      whole.close();
      whole = null;
    }
  }
}
