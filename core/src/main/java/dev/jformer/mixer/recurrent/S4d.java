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
import java.util.List;

/**
 * A diagonal state space model, S4D of <a href="https://arxiv.org/abs/2206.11893">On the
 * Parameterization and Initialization of Diagonal State Space Models</a>, after DSS of <a
 * href="https://arxiv.org/abs/2203.14343">Diagonal State Spaces are as Effective as Structured
 * State Spaces</a>. Each channel is a linear system of n complex numbers s, with A = -exp(a) + i·ω:
 *
 * <pre>
 * s[t] = exp(Δ A) s[t-1] + x[t]
 * y[t] = 2 Re Σ_n C_n (exp(Δ A_n) - 1) / A_n · s_n[t]  +  D x[t]
 * </pre>
 *
 * <p>Whole sequences are convolved with the kernel that this gives for each distance, in O(T log²
 * T); decoding keeps the n numbers of each channel. It starts as S4D-Lin: A_n = -1/2 + iπn, Δ
 * log-uniform between 0.001 and 0.1. GELU and a gated linear layer follow, as in the authors' code.
 *
 * <p>Powers of exp(Δ A) are computed in float64 for 64 distances and for each multiple of 64, and
 * multiplied by one matrix product, so that no sine is taken of each channel, state and distance.
 */
public final class S4d extends RecurrentMixer {
  private static final CausalConvolution CONVOLUTION = new CausalConvolution(64);
  private static final long STRIDE = 64;
  private static final int REAL = 0;
  private static final int IMAGINARY = 1;

  /**
   * Configuration.
   *
   * @param states N, the real size of each channel's state: it has N/2 complex numbers and their
   *     conjugates; an even number
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(int states) implements TokenMixer.Config {
    /** Default: 64. */
    public Config() {
      this(64);
    }

    /** Checks the values. */
    public Config {
      Checks.atLeast("states", states, 2);
      Checks.check(states % 2 == 0, "states", states, "an even number");
    }

    @Override
    public String type() {
      return "s4d";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new S4d(states / 2, context);
    }
  }

  private final Parameter logStep;
  private final Parameter logDecay;
  private final Parameter frequency;
  private final Parameter outward;
  private final Parameter skip;
  private final Slot<Layer> out;
  private final Slot<Layer> dropout;

  S4d(int states, BlockContext context) {
    super(context);
    int width = context.width();
    Tensor steps = Tensor.zeros(width, 1).uniform_(Math.log(0.001), Math.log(0.1));
    this.logStep = parameter("log-step", steps);
    this.logDecay =
        parameter("log-decay", Initializer.constant(Math.log(0.5)).create(width, states));
    Tensor turns = Tensor.arange(0, states).to(DType.FLOAT32).mul(Math.PI);
    this.frequency = parameter("frequency", turns.repeat(width, 1));
    this.outward =
        parameter("outward", Initializer.normal(Math.sqrt(0.5)).create(2, width, states));
    this.skip = parameter("skip", Initializer.normal(1).create(width));
    this.out = child("out", Layer.class, context.residual(width, 2L * width));
    this.dropout = child("dropout", Layer.class, new Dropout(context.dropout()));
  }

  /** A complex tensor. */
  private record Complex(Tensor real, Tensor imaginary) {
    Complex times(Complex other) {
      return new Complex(
          real.mul(other.real).sub(imaginary.mul(other.imaginary)),
          real.mul(other.imaginary).add(imaginary.mul(other.real)));
    }

    Complex to(DType dtype) {
      return new Complex(real.to(dtype), imaginary.to(dtype));
    }
  }

  /** Δ A of each channel and state, in float64. */
  private Complex exponent() {
    Tensor step = logStep.value().to(DType.FLOAT64).exp();
    Tensor decay = logDecay.value().to(DType.FLOAT64).exp();
    return new Complex(decay.neg().mul(step), frequency.value().to(DType.FLOAT64).mul(step));
  }

  /** C (exp(Δ A) - 1) / A of each channel and state, in float64. */
  private Complex output(Complex exponent) {
    Complex power = powers(exponent, Tensor.ones(1)).of(0);
    Complex less = new Complex(power.real.sub(1), power.imaginary);
    Tensor decay = logDecay.value().to(DType.FLOAT64).exp().neg();
    Tensor turn = frequency.value().to(DType.FLOAT64);
    Tensor size = decay.square().add(turn.square());
    Complex inverse = new Complex(decay.div(size), turn.neg().div(size));
    Tensor both = outward.value().to(DType.FLOAT64);
    return new Complex(both.select(0, 0), both.select(0, 1)).times(less).times(inverse);
  }

  /** Powers of exp(Δ A): [D, n, number of distances]. */
  private record Powers(Complex value) {
    Complex of(long distance) {
      return new Complex(value.real.select(2, distance), value.imaginary.select(2, distance));
    }
  }

  private static Powers powers(Complex exponent, Tensor distances) {
    Tensor times = distances.to(DType.FLOAT64);
    Tensor size = exponent.real.unsqueeze(2).mul(times).exp();
    Tensor angle = exponent.imaginary.unsqueeze(2).mul(times);
    return new Powers(new Complex(size.mul(angle.cos()), size.mul(angle.sin())));
  }

  /** The convolution's kernel for the distances 0 … length - 1: [length, D]. */
  private Tensor kernel(Complex exponent, Complex output, long length, DType dtype) {
    long strides = (length + STRIDE - 1) / STRIDE;
    Complex far = powers(exponent, Tensor.arange(0, strides).mul(STRIDE)).value;
    Complex left =
        far.times(new Complex(output.real.unsqueeze(2), output.imaginary.unsqueeze(2))).to(dtype);
    Complex near = powers(exponent, Tensor.arange(0, Math.min(length, STRIDE))).value.to(dtype);
    Tensor rows = Tensor.cat(1, left.real, left.imaginary.neg()).t();
    Tensor columns = Tensor.cat(1, near.real, near.imaginary);
    return rows.matmul(columns).mul(2).flatten(1, 2).narrow(1, 0, length).t();
  }

  @Override
  Tensor mix(Tensor x, RecurrentState state) {
    Complex exponent = exponent();
    Complex output = output(exponent);
    long length = x.size(1);
    Tensor kernel = kernel(exponent, output, length, x.dtype());
    Tensor sum = CONVOLUTION.channels(x, kernel).add(x.mul(skip.value().to(x.dtype())));
    return Functional.gelu(state == null ? sum : sum.add(past(x, exponent, output, state)));
  }

  /** What the state adds to the outputs [B, T, D]; then adds the tokens to the state. */
  private static Tensor past(Tensor x, Complex exponent, Complex output, RecurrentState state) {
    long length = x.size(1);
    Complex powers = powers(exponent, Tensor.arange(0, length + 1)).value;
    Complex later = narrow(powers, 1, length);
    Complex weights =
        later.times(new Complex(output.real.unsqueeze(2), output.imaginary.unsqueeze(2)));
    Tensor flipped = x.flip(1);
    Complex now = narrow(powers, 0, length).to(x.dtype());
    Tensor real = Tensor.einsum("btd,dnt->bdn", flipped, now.real);
    Tensor imaginary = Tensor.einsum("btd,dnt->bdn", flipped, now.imaginary);
    Tensor before = x.zerosLike();
    if (state.get(REAL) != null) {
      Complex old = new Complex(state.get(REAL), state.get(IMAGINARY));
      Complex out = weights.to(x.dtype());
      before =
          Tensor.einsum("bdn,dnt->btd", old.real, out.real)
              .sub(Tensor.einsum("bdn,dnt->btd", old.imaginary, out.imaginary))
              .mul(2);
      Complex moved = new Powers(powers).of(length).to(x.dtype()).times(old);
      real = real.add(moved.real);
      imaginary = imaginary.add(moved.imaginary);
    }
    state.set(REAL, real);
    state.set(IMAGINARY, imaginary);
    return before;
  }

  private static Complex narrow(Complex powers, long start, long length) {
    return new Complex(
        powers.real.narrow(2, start, length), powers.imaginary.narrow(2, start, length));
  }

  @Override
  Tensor after(Tensor mixed) {
    List<Tensor> halves = out.get().forward(mixed).chunk(2, -1);
    return dropout.get().forward(halves.get(0).mul(halves.get(1).sigmoid()));
  }

  @Override
  public State start(long batch, long capacity) {
    return new RecurrentState(2);
  }
}
