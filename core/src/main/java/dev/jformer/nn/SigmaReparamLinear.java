package dev.jformer.nn;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.MetaMode;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * A linear layer with σReparam of <a href="https://arxiv.org/abs/2303.06296">Stabilizing
 * Transformer Training by Preventing Attention Entropy Collapse</a>. It computes {@code x Ŵᵀ + b},
 * [..., in] to [..., out], with the weight {@code Ŵ = (γ / σ(W)) W}, where σ is the spectral norm
 * and γ a trained scalar. So |γ| is the layer's spectral norm, and only the optimizer's slow steps
 * on one number can change it.
 *
 * <p>σ is an estimate by power iteration: each forward pass takes the vector u [in] of the last
 * one, makes {@code v = Wu / |Wu|} and {@code u' = Wᵀv / |Wᵀv|}, and has {@code σ = vᵀWu'}.
 * Gradients flow to W through σ, not through the vectors. In training u' replaces u; in inference u
 * stays, so that evaluating a model does not change it. The length of u does not matter, so a
 * moving average of it works as well.
 *
 * <p>The paper keeps v too, and takes no step in inference. As in the authors' code, only u is kept
 * here, and inference takes the step and discards it. So inference computes the same function as a
 * training pass would, and recomputes the matrix in each pass; {@link #folded} avoids that.
 *
 * <p>u starts as W's leading right singular vector. The authors' code takes it from a singular
 * value decomposition; here it is the leading eigenvector of the smaller of WᵀW and WWᵀ, which is
 * the same vector and faster to compute.
 *
 * <p>Under autocast the vectors and the scale are computed in float32, as in the authors' code;
 * rounded to bf16 the estimate would move in steps of half a percent.
 */
public final class SigmaReparamLinear extends Layer implements Foldable {
  private static final Operator EIGENVECTORS = Operator.named("aten::linalg_eigh");

  /** The initial value of the trained scalar γ. */
  public enum Gain {
    /**
     * The spectral norm of the initial weight, so that the layer starts as the plain one of the
     * same weight. As in the authors' code for images and, according to them, for language models.
     */
    SPECTRAL_NORM,
    /** 1, as in the authors' code for speech. */
    ONE
  }

  /**
   * Configuration.
   *
   * @param gain the initial value of γ
   */
  @AutoService(Projection.class)
  public record Config(Gain gain) implements Projection {
    /** Default, as for language models. */
    public Config() {
      this(Gain.SPECTRAL_NORM);
    }

    /** Checks the values. */
    public Config {
      if (gain == null) {
        throw new IllegalArgumentException("gain is null: expected spectral-norm or one");
      }
    }

    @Override
    public String type() {
      return "sigma-reparam";
    }

    @Override
    public SigmaReparamLinear build(long in, long out, boolean bias, Initializer initializer) {
      return new SigmaReparamLinear(this, in, out, bias, initializer);
    }

    @Override
    public Projection folded() {
      return new Linear.Config();
    }
  }

  private final Parameter weight;
  private final Parameter gain;
  private final Parameter bias;
  private final Parameter u;

  SigmaReparamLinear(Config config, long in, long out, boolean bias, Initializer initializer) {
    this.weight = parameter("weight", initializer.create(out, in));
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      this.u = Parameter.buffer(leadingVector(weight.value()));
      Tensor norm = power().norm();
      check(norm);
      this.gain =
          parameter("gain", config.gain() == Gain.ONE ? Tensor.full(1, norm.dtype()) : norm);
    }
    this.bias = bias ? parameter("bias", Tensor.zeros(out)) : null;
    register("u", u);
  }

  private static void check(Tensor norm) {
    if (!MetaMode.isOpen() && !(norm.item() > 0)) {
      throw new IllegalArgumentException(
          "the initial weight's spectral norm is "
              + norm.item()
              + ": σReparam divides by it, so the weight must not start at zero");
    }
  }

  /** The leading right singular vector [in] of a matrix [out, in], of either sign. */
  private static Tensor leadingVector(Tensor w) {
    boolean tall = w.size(0) >= w.size(1);
    Tensor gram = tall ? w.t().matmul(w) : w.matmul(w.t());
    List<Tensor> ascending = EIGENVECTORS.callAll(gram, "L");
    Tensor leading = ascending.get(1).select(1, gram.size(0) - 1);
    return tall ? leading : unit(leading.matmul(w));
  }

  private static Tensor unit(Tensor vector) {
    return vector.div(vector.norm());
  }

  /**
   * Takes one step of power iteration from the current u.
   *
   * <p>With v held fixed, {@code |Wᵀv|} is {@code vᵀWu'}, and so is its derivative, {@code v u'ᵀ}:
   * this needs one product with W less than the definition.
   *
   * @return Wᵀv, [in], of direction u' and length σ, which gradients flow from
   */
  private Tensor power() {
    Tensor w = weight.value();
    Tensor v;
    try (Mode mode = Autograd.noGrad()) {
      v = unit(w.matmul(u.value().to(w.dtype())));
    }
    return v.matmul(w);
  }

  private Tensor scaled(Tensor norm) {
    return weight.value().mul(gain.value().div(norm));
  }

  @Override
  public Tensor forward(Tensor x) {
    return Functional.linear(x, effective(), bias == null ? null : bias.value());
  }

  private Tensor effective() {
    try (Mode mode = Autograd.autocast(DType.BFLOAT16, false)) {
      Tensor power = power();
      Tensor norm = power.norm();
      if (isTraining()) {
        u.copyFrom(power.detach().div(norm.detach()));
      }
      return scaled(norm);
    }
  }

  /** The plain layer of weight Ŵ. */
  @Override
  public Linear folded() {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      return new Linear(scaled(power().norm()), bias == null ? null : bias.value().copy());
    }
  }

  /** The weight W [out, in], of which only the direction matters. */
  public Parameter weight() {
    return weight;
  }

  /** The scalar γ: the layer's spectral norm, up to its sign and the error of power iteration. */
  public Parameter gain() {
    return gain;
  }
}
