package dev.jformer.mixer.recurrent;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.internal.CausalConvolution;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Slot;
import dev.jformer.position.Position;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * A diagonal linear RNN, DLR of <a href="https://arxiv.org/abs/2212.00768">Simplifying and
 * Understanding State Space Models with Diagonal Linear RNNs</a>. It has no step size and nothing
 * is discretised: n complex numbers λ = exp(-a² + iω), which all channels share, are the
 * recurrence, and each channel reads its n states s by weights W of its own:
 *
 * <pre>
 * s[t] = λ ⊙ s[t-1] + x[t]
 * y[t] = Re Σ_n W_n s_n[t]  +  D x[t]
 * </pre>
 *
 * <p>Whole sequences are convolved with the kernel {@code Re Σ_n W_n λ_n^j} of each distance j, in
 * O(T log² T); decoding keeps the n numbers of each channel. As λ is shared, the kernel of all
 * channels is one product of a T×n and an n×D matrix. It starts at n roots of unity, ω = 2πk/n,
 * with 2a² log-uniform between 0.0001 and 0.1, as in the authors' code; GELU and a linear layer
 * follow. The authors train λ and W at a tenth of the learning rate; here all weights have one.
 *
 * <p>In a model that looks both ways, later tokens are summed by a kernel with weights of its own,
 * of the distance less one, so that a token counts itself once. Such a model does not decode.
 */
public final class Dlr extends RecurrentMixer {
  private static final CausalConvolution CONVOLUTION = new CausalConvolution(64);
  private static final int REAL = 0;
  private static final int IMAGINARY = 1;
  private static final double SLOWEST = 1e-4;
  private static final double FASTEST = 0.1;

  /**
   * Configuration.
   *
   * @param states n, the number of complex numbers in each channel's state
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(int states) implements TokenMixer.Config {
    /** Default: 64. */
    public Config() {
      this(64);
    }

    /** Checks the value. */
    public Config {
      Checks.atLeast("states", states, 1);
    }

    @Override
    public String type() {
      return "dlr";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new Dlr(states, context);
    }
  }

  private final Parameter decay;
  private final Parameter frequency;
  private final Parameter outward;
  private final Parameter backward;
  private final Parameter skip;
  private final Slot<Layer> out;
  private final Slot<Layer> dropout;

  Dlr(int states, BlockContext context) {
    int width = context.width();
    Tensor rates = Tensor.zeros(states).uniform_(Math.log(SLOWEST), Math.log(FASTEST));
    this.decay = parameter("decay", rates.exp().mul(0.5).sqrt());
    Tensor turns = Tensor.arange(0, states).to(DType.FLOAT32).mul(2 * Math.PI / states);
    this.frequency = parameter("frequency", turns);
    Initializer small = Initializer.normal(1.0 / states);
    this.outward = parameter("outward", small.create(2, states, width));
    this.backward = context.causal() ? null : parameter("backward", small.create(2, states, width));
    this.skip = parameter("skip", Initializer.normal(1).create(width));
    this.out = child("out", Layer.class, context.residual(width, width));
    this.dropout = child("dropout", Layer.class, new Dropout(context.dropout()));
  }

  /** Powers of λ in float64, computed by their logarithms: [number of distances, n] each. */
  private record Powers(Tensor real, Tensor imaginary) {
    Powers to(DType dtype) {
      return new Powers(real.to(dtype), imaginary.to(dtype));
    }

    /** The powers for some of the distances. */
    Powers narrow(long first, long count) {
      return new Powers(real.narrow(0, first, count), imaginary.narrow(0, first, count));
    }

    /** The real part of the sum over states of the powers and weights [2, n, D]: [count, D]. */
    Tensor by(Tensor weights) {
      return real.matmul(weights.select(0, 0)).sub(imaginary.matmul(weights.select(0, 1)));
    }
  }

  /** The powers λ⁰ … λ^(count-1). */
  private Powers powers(long count) {
    Tensor times = Tensor.arange(0, count).to(DType.FLOAT64).unsqueeze(1);
    Tensor size = times.mul(decay.value().to(DType.FLOAT64).square().neg()).exp();
    Tensor angle = times.mul(frequency.value().to(DType.FLOAT64));
    return new Powers(size.mul(angle.cos()), size.mul(angle.sin()));
  }

  @Override
  Tensor mix(Tensor x, RecurrentState state) {
    long length = x.size(1);
    Powers powers = powers(length + 1).to(x.dtype());
    Powers kernel = powers.narrow(0, length);
    Tensor weights = outward.value().to(x.dtype());
    Tensor sum = CONVOLUTION.channels(x, kernel.by(weights)).add(x.mul(skip.value().to(x.dtype())));
    if (backward != null) {
      sum = sum.add(later(x, kernel.by(backward.value().to(x.dtype()))));
    }
    return Functional.gelu(state == null ? sum : sum.add(past(x, powers, weights, state)));
  }

  /** Sums the tokens after each, by a kernel [T, D] of the distance less one. */
  private static Tensor later(Tensor x, Tensor kernel) {
    Tensor sums = CONVOLUTION.channels(x.flip(1), kernel).flip(1);
    return Functional.pad(sums.narrow(1, 1, x.size(1) - 1), 0, 0, 0, 0, 1);
  }

  /** What the state adds to the outputs [B, T, D]; then adds the tokens to the state. */
  private static Tensor past(Tensor x, Powers powers, Tensor weights, RecurrentState state) {
    long length = x.size(1);
    Powers now = powers.narrow(0, length);
    Tensor flipped = x.flip(1);
    Tensor real = now.real.t().matmul(flipped);
    Tensor imaginary = now.imaginary.t().matmul(flipped);
    Tensor before = x.zerosLike();
    if (state.get(REAL) != null) {
      Tensor oldReal = state.get(REAL);
      Tensor oldImaginary = state.get(IMAGINARY);
      Tensor readReal =
          oldReal.mul(weights.select(0, 0)).sub(oldImaginary.mul(weights.select(0, 1)));
      Tensor readImaginary =
          oldReal.mul(weights.select(0, 1)).add(oldImaginary.mul(weights.select(0, 0)));
      Powers next = powers.narrow(1, length);
      before = next.real.matmul(readReal).sub(next.imaginary.matmul(readImaginary));
      Tensor turnReal = powers.narrow(length, 1).real.t();
      Tensor turnImaginary = powers.narrow(length, 1).imaginary.t();
      real = real.add(turnReal.mul(oldReal)).sub(turnImaginary.mul(oldImaginary));
      imaginary = imaginary.add(turnReal.mul(oldImaginary)).add(turnImaginary.mul(oldReal));
    }
    state.set(REAL, real);
    state.set(IMAGINARY, imaginary);
    return before;
  }

  @Override
  Tensor after(Tensor mixed) {
    return dropout.get().forward(out.get().forward(mixed));
  }

  @Override
  public State start(long batch, long capacity) {
    return backward == null ? new RecurrentState(2) : super.start(batch, capacity);
  }
}
