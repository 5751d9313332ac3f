package dev.jformer.nn.factorized;

import com.google.auto.service.AutoService;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Projection;
import dev.jformer.nn.internal.Derived;
import dev.jformer.nn.internal.Int8Rows;
import dev.jformer.nn.internal.NonzeroPositions;
import dev.jformer.nn.quantized.Roundable;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Int8;
import dev.jformer.tensor.MetaMode;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * A linear layer {@code x Wᵀ + b}, [..., in] to [..., out], whose weight is the product of small
 * dense bases and semi-structured sparse coefficients, of <a
 * href="https://arxiv.org/abs/2312.13211">DSFormer: Effective Compression of Text-Transformers by
 * Dense-Sparse Weight Factorization</a>. Outputs are cut into blocks; in each, the weights of an
 * input are a sum of {@code s} of the block's basis vectors, where s is the same for all. A file
 * holds the bases, the nonzero coefficients, and their positions, as a bit mask or as indices of
 * few bits, whichever is smaller.
 *
 * <p>Only part of the paper's text was available, so the sizes are ours: of blocks of 16 to 64
 * outputs over 16 to 48 vectors, 32 over 48 approximated the matrices of all-MiniLM-L6-v2 best at
 * 2, 2.8 and 3.57 times fewer bytes. s is the most that fits. A basis takes at most half of the
 * bytes, so narrow layers have smaller ones.
 *
 * <p>The bases and the nonzero coefficients are trained; in a {@link StraightThroughFactorizer}
 * other coefficients can become nonzero. With 8 bits, bases and coefficients are integers, with a
 * scale for each vector of a basis; such a layer cannot be trained.
 */
public final class DenseSparseLinear extends Layer implements FactorizedWeight, Roundable.Rounded {
  /** How the product is computed in inference. */
  public enum Execution {
    /** W is computed in each pass; memory is as small as the file. */
    FRUGAL,
    /** W is kept from the first pass on: as fast and as large as a plain layer. */
    DENSE,
    /**
     * W is not computed: inputs are multiplied with the sparse coefficients, and the result with
     * the bases. It needs fewer operations, but is slower where sparse products are slow.
     */
    FACTORED
  }

  /**
   * Configuration.
   *
   * @param factor the compression: bytes of the matrix over those of the factors, with 32 bits
   * @param block the most outputs of a block
   * @param basis the most vectors of a basis
   * @param bits bits of a number: 32, or 8 for models that are already trained
   * @param execution how the product is computed in inference
   */
  @AutoService(Projection.class)
  public record Config(double factor, int block, int basis, int bits, Execution execution)
      implements Roundable {
    /** Default: half of the bytes. */
    public Config() {
      this(2);
    }

    /** Default settings with a compression factor. */
    public Config(double factor) {
      this(factor, 32, 48, 32, Execution.FRUGAL);
    }

    /** Checks the values. */
    public Config {
      check(factor, block, basis);
      Roundable.checkBits(bits);
      if (execution == null) {
        throw new IllegalArgumentException("execution is null: expected frugal, dense or factored");
      }
    }

    static void check(double factor, int block, int basis) {
      if (!(factor > 1 && factor <= 1000)) {
        throw new IllegalArgumentException(
            "factor is " + factor + ": expected more than 1, such as 2 for half of the bytes");
      }
      if (block < 1 || basis < 1) {
        throw new IllegalArgumentException(
            "block is " + block + " and basis is " + basis + ": expected at least 1 of each");
      }
    }

    @Override
    public String type() {
      return "dsformer";
    }

    @Override
    public Config withBits(int other) {
      return new Config(factor, block, basis, other, execution);
    }

    /** This configuration with another execution. */
    public Config withExecution(Execution other) {
      return new Config(factor, block, basis, bits, other);
    }

    @Override
    public DenseSparseLinear build(long in, long out, boolean bias, Initializer initializer) {
      return new DenseSparseLinear(this, in, out, bias, initializer);
    }
  }

  private static final class Kernels {
    static final Operator SPARSE = Operator.named("aten::to_sparse_csr");
    static final Operator PRODUCT = Operator.named("aten::mm");
  }

  private final Config config;
  private final DenseSparseFormat format;
  private final NonzeroPositions positions;
  private final Parameter bases;
  private final Parameter values;
  private final Parameter scale;
  private final Parameter bias;
  private final Derived<Tensor> indices = Derived.tensor();
  private final Derived<Tensor> whole = Derived.tensor();
  private final Derived<Tensor> sparse = Derived.tensor();

  DenseSparseLinear(Config config, long in, long out, boolean bias, Initializer initializer) {
    this.config = config;
    this.format =
        DenseSparseFormat.fitting(in, out, config.factor(), config.block(), config.basis());
    this.positions = format.positions();
    boolean small = config.bits() == 8;
    long count = format.rows() * format.nonzeros();
    if (small || MetaMode.isOpen()) {
      DType dtype = small ? DType.INT8 : DType.FLOAT32;
      this.bases =
          held(Tensor.zeros(dtype, format.blocks(), format.basis(), format.block()), small);
      this.values = held(Tensor.zeros(dtype, 1, count), small);
    } else {
      try (Scope scope = Scope.open();
          Mode mode = Autograd.noGrad()) {
        Tensor[] drawn = format.drawn(initializer);
        Tensor mask = format.largest(drawn[0]);
        positions.set(mask.gt(0));
        this.bases = held(drawn[1], false);
        this.values = held(gathered(drawn[0]), false);
      }
    }
    this.scale = small ? held(Tensor.zeros(format.blocks(), format.basis()), true) : null;
    this.bias = bias ? held(Tensor.zeros(out), small) : null;
    register("basis", bases);
    register("values", values);
    register(positions.name(), positions.code());
    if (small) {
      register("scale", scale);
    }
    if (bias) {
      register("bias", this.bias);
    }
  }

  @Override
  protected void checkOwnParameters() {
    positions.check(values.value().elements());
  }

  private static Parameter held(Tensor initial, boolean fixed) {
    return fixed ? Parameter.buffer(initial) : Parameter.trained(initial);
  }

  /** Picks the nonzero ones of all coefficients [blocks, in, basis]: [1, count]. */
  private Tensor gathered(Tensor coefficients) {
    long[] places = positions.indices();
    return coefficients.reshape(1, -1).indexSelect(1, Tensor.of(places, places.length));
  }

  @Override
  public Tensor forward(Tensor x) {
    Tensor offset = bias == null ? null : bias.value();
    if (config.bits() == 8) {
      if (isTraining()) {
        throw new UnsupportedOperationException(
            "dense-sparse factors of 8 bits cannot be trained: train the model before rounding them,"
                + " or switch it to inference");
      }
      Tensor added = offset == null ? null : offset.to(x.dtype());
      return config.execution() == Execution.FACTORED
          ? factored(x, added)
          : Functional.linear(x, weight().to(x.dtype()), added);
    }
    if (needsGradient()) {
      return Functional.linear(x, format.matrix(scattered(), bases.value()), offset);
    }
    return config.execution() == Execution.FACTORED
        ? factored(x, offset)
        : Functional.linear(x, weight(), offset);
  }

  private boolean needsGradient() {
    return values.value().dtype() == DType.FLOAT64
        || (Autograd.isEnabled()
            && (values.value().requiresGrad() || bases.value().requiresGrad()));
  }

  /** All coefficients [blocks, in, basis], with gradients. */
  private Tensor scattered() {
    Tensor row = Tensor.zeros(values.value().dtype(), 1, format.rows() * format.basis());
    return row.scatter(1, indices(), values.value())
        .view(format.blocks(), format.in(), format.basis());
  }

  /** The weight W [out, in] without gradients; float32, or float64 for float64 factors. */
  public Tensor weight() {
    return config.execution() == Execution.DENSE
        ? whole.get(
            () -> written().keep(),
            positions.code().value(),
            values.value(),
            bases.value(),
            scale == null ? null : scale.value())
        : written();
  }

  private Tensor written() {
    try (Mode mode = Autograd.noGrad();
        Mode exact = Autograd.autocast(DType.BFLOAT16, false)) {
      return values.value().dtype() == DType.FLOAT64
          ? format.matrix(scattered(), bases.value())
          : format.matrix(coefficients(), vectors());
    }
  }

  /** All coefficients [blocks, in, basis], float32; without their scale if they have 8 bits. */
  private Tensor coefficients() {
    Tensor numbers = values.value().detach().to(DType.FLOAT32).contiguous();
    check(numbers.elements());
    Tensor all = Tensor.zeros(format.blocks(), format.in(), format.basis());
    positions.spread(numbers.asBuffer().asFloatBuffer(), all.asBuffer().asFloatBuffer());
    return all;
  }

  /** The bases, float32, with the coefficients' scale if they have 8 bits. */
  private Tensor vectors() {
    Tensor numbers = bases.value().detach().to(DType.FLOAT32);
    return scale == null ? numbers : numbers.mul(scale.value().unsqueeze(2));
  }

  private Tensor factored(Tensor x, Tensor offset) {
    Tensor nonzero =
        sparse.get(
            () -> {
              Tensor rows = coefficients().transpose(1, 2).reshape(-1, format.in());
              return Kernels.SPARSE.call(rows).keep();
            },
            positions.code().value(),
            values.value());
    try (Mode mode = Autograd.noGrad();
        Mode exact = Autograd.autocast(DType.BFLOAT16, false)) {
      Tensor flat = x.detach().reshape(-1, format.in()).to(DType.FLOAT32);
      Tensor shares = Kernels.PRODUCT.call(nonzero, flat.t().contiguous());
      Tensor each = shares.view(format.blocks(), format.basis(), flat.size(0));
      Tensor blocks = vectors().transpose(1, 2).matmul(each);
      Tensor sum = blocks.flatten(0, 1).narrow(0, 0, format.out()).t();
      long[] shape = x.shape().toArray();
      shape[shape.length - 1] = format.out();
      Tensor y = offset == null ? sum : sum.add(offset.to(DType.FLOAT32));
      return y.reshape(shape).to(x.dtype());
    }
  }

  private void check(long count) {
    if (positions.count() != count) {
      throw new IllegalStateException(
          "dense-sparse factors have "
              + count
              + " coefficients and "
              + positions.count()
              + " positions: the weights are damaged");
    }
  }

  private Tensor indices() {
    return indices.get(
        () -> {
          long[] places = positions.indices();
          check(values.value().elements());
          check(places.length);
          return Tensor.of(places, 1, places.length).keep();
        },
        positions.code().value());
  }

  @Override
  public DenseSparseFormat format() {
    return format;
  }

  /** Copies factors to this layer; with 8 bits they are rounded. */
  @Override
  public void fill(Tensor coefficients, Tensor mask, Tensor vectors) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      format.expect(mask);
      Tensor kept = Int8Rows.finite(coefficients).mul(mask.to(coefficients.dtype()));
      Tensor plain = Int8Rows.finite(vectors);
      positions.set(mask);
      if (scale == null) {
        bases.copyFrom(plain);
        values.copyFrom(gathered(kept));
      } else {
        Tensor high = kept.to(DType.FLOAT64).abs().max(1, false).mul(1.0 / Int8.LEVELS);
        Tensor wide = plain.to(DType.FLOAT64).abs().max(2, false).mul(1.0 / Int8.LEVELS);
        scale.copyFrom(high.mul(wide));
        values.copyFrom(gathered(kept.to(DType.FLOAT64).div(divisor(high).unsqueeze(1)).round()));
        bases.copyFrom(plain.to(DType.FLOAT64).div(divisor(wide).unsqueeze(2)).round());
      }
    }
    forget();
  }

  private static Tensor divisor(Tensor step) {
    return step.where(step.gt(0), Tensor.ones(1).to(DType.FLOAT64));
  }

  @Override
  public void fill(Module module) {
    DenseSparseLinear other = (DenseSparseLinear) module;
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor row = Tensor.zeros(1, format.rows() * format.basis());
      Tensor mask = row.scatter(1, other.indices(), 1.0).gt(0);
      Tensor all = other.scattered();
      fill(all, mask.view(all.shape().toArray()), other.bases.value());
    }
  }

  /** The bases [blocks, basis, outputs of a block]. */
  public Parameter bases() {
    return bases;
  }

  /** The nonzero coefficients, [1, count]. */
  public Parameter values() {
    return values;
  }

  /** The bias [out], or null. */
  public Parameter bias() {
    return bias;
  }

  /** The bytes of derived matrices, and of the positions as training needs them. */
  @Override
  public long derivedBytes() {
    long rows =
        sparse.bytes(
            made ->
                (Float.BYTES + Long.BYTES) * format.rows() * format.nonzeros()
                    + Long.BYTES * (format.blocks() * format.basis() + 1));
    return Derived.bytes(indices) + rows + Derived.bytes(whole);
  }

  @Override
  protected void forget() {
    indices.forget();
    whole.forget();
    sparse.forget();
  }
}
