package dev.jformer.nn.factorized;

import com.google.auto.service.AutoService;
import dev.jformer.nn.Foldable;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Projection;
import dev.jformer.nn.internal.Int8Rows;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.MetaMode;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * The Straight-Through Factorizer (<a href="https://arxiv.org/abs/2312.13211">DSFormer: Effective
 * Compression of Text-Transformers by Dense-Sparse Weight Factorization</a>), the form of a {@link
 * DenseSparseLinear} in which training chooses the nonzero coefficients. It holds all coefficients.
 * A pass uses the s largest of each input in each block by absolute value; the gradient is passed
 * to all of them as if all had been used, so that unused ones can grow and become used. Folding
 * keeps only the used ones.
 */
public final class StraightThroughFactorizer extends Layer implements FactorizedWeight, Foldable {
  /**
   * Configuration.
   *
   * @param factor the compression: bytes of a plain layer over those of the folded one
   * @param block the most outputs of a block
   * @param basis the most vectors of a basis
   */
  @AutoService(Projection.class)
  public record Config(double factor, int block, int basis) implements Projection {
    /** Default: half of the bytes. */
    public Config() {
      this(2);
    }

    /** Default settings with a compression factor. */
    public Config(double factor) {
      this(factor, new DenseSparseLinear.Config().block(), new DenseSparseLinear.Config().basis());
    }

    /** Checks the values. */
    public Config {
      DenseSparseLinear.Config.check(factor, block, basis);
    }

    @Override
    public String type() {
      return "dsformer-stf";
    }

    @Override
    public StraightThroughFactorizer build(
        long in, long out, boolean bias, Initializer initializer) {
      return new StraightThroughFactorizer(this, in, out, bias, initializer);
    }

    @Override
    public DenseSparseLinear.Config folded() {
      return new DenseSparseLinear.Config(
          factor, block, basis, 32, DenseSparseLinear.Execution.FRUGAL);
    }
  }

  private final Config config;
  private final DenseSparseFormat format;
  private final Parameter bases;
  private final Parameter coefficients;
  private final Parameter bias;

  StraightThroughFactorizer(
      Config config, long in, long out, boolean bias, Initializer initializer) {
    this.config = config;
    this.format =
        DenseSparseFormat.fitting(in, out, config.factor(), config.block(), config.basis());
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor[] initial =
          MetaMode.isOpen()
              ? new Tensor[] {
                Tensor.zeros(format.blocks(), in, format.basis()),
                Tensor.zeros(format.blocks(), format.basis(), format.block())
              }
              : format.drawn(initializer);
      this.bases = parameter("basis", initial[1]);
      this.coefficients = parameter("coefficients", initial[0]);
    }
    this.bias = bias ? parameter("bias", Tensor.zeros(out)) : null;
  }

  @Override
  public Tensor forward(Tensor x) {
    return Functional.linear(x, weight(), bias == null ? null : bias.value());
  }

  /** Computes the weight W [out, in], with gradients. */
  public Tensor weight() {
    Tensor all = coefficients.value();
    Tensor used = all.detach().mul(format.largest(all));
    // Equal to the used coefficients to the bit, because a - a is 0 and so is a + (0 - a).
    Tensor through = Autograd.isEnabled() ? all.add(used.sub(all.detach())) : used;
    return format.matrix(through, bases.value());
  }

  /** Which coefficients a pass uses: bool [blocks, in, basis]. */
  public Tensor used() {
    return format.largest(coefficients.value()).gt(0);
  }

  @Override
  public DenseSparseFormat format() {
    return format;
  }

  @Override
  public void fill(Tensor all, Tensor mask, Tensor vectors) {
    format.expect(mask);
    coefficients.copyFrom(Int8Rows.finite(all).mul(mask.to(all.dtype())));
    bases.copyFrom(Int8Rows.finite(vectors));
  }

  /** All coefficients, used or not: [blocks, in, basis]. */
  public Parameter coefficients() {
    return coefficients;
  }

  @Override
  public DenseSparseLinear folded() {
    DenseSparseLinear layer =
        config.folded().build(format.in(), format.out(), bias != null, Initializer.zeros());
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor all = coefficients.value().detach();
      layer.fill(all, used(), bases.value().detach());
      if (bias != null) {
        layer.bias().copyFrom(bias.value().detach());
      }
    }
    return layer;
  }
}
