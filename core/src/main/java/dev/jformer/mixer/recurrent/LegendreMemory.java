package dev.jformer.mixer.recurrent;

import dev.jformer.config.Checks;
import dev.jformer.mixer.internal.CausalConvolution;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * The memory of a Legendre memory unit (<a
 * href="https://papers.nips.cc/paper/2019/hash/952285b9b7e7a1be5aa7849f32ffff05-Abstract.html">
 * Legendre Memory Units: Continuous-Time Representation in Recurrent Neural Networks</a>): d
 * numbers m, the coefficients of the first d Legendre polynomials of a signal u during the last θ
 * steps. It is a linear system without trained weights:
 *
 * <pre>
 * dm/dt = A m + B u      A_ij = (2i+1)/θ · (-1 if i &lt; j, else (-1)^(i-j+1))      B_i = (2i+1)/θ · (-1)^i
 * m[t] = Ā m[t-1] + B̄ u[t]                        for signals that are constant during each step
 * </pre>
 *
 * <p>Ā and B̄ are blocks of the exponential of [[A, B], [0, 0]], computed in float64. Whole signals
 * are convolved with the impulse response Ā^j B̄ of each distance j, by a {@link
 * CausalConvolution}; its two forms are equal but for rounding.
 */
public final class LegendreMemory {
  private static final Operator EXPONENTIAL = Operator.named("aten::linalg_matrix_exp");
  private static final CausalConvolution CONVOLUTION = new CausalConvolution(64);

  private final int order;
  private final double window;
  private double[] transition;
  private double[] input;
  private double[] response = {};

  /**
   * Creates a memory; its matrices are computed when they are first needed.
   *
   * @param order d, the numbers that it holds
   * @param window θ, the steps that it looks back, which need not be whole
   */
  public LegendreMemory(int order, double window) {
    Checks.atLeast("order", order, 1);
    Checks.moreThan("window", window, 0);
    this.order = order;
    this.window = window;
  }

  /** The numbers d that it holds of a signal. */
  public int order() {
    return order;
  }

  /** Ā in float64: [d, d]. */
  public Tensor transition() {
    discretise();
    return Tensor.of(transition, order, order);
  }

  /** B̄ in float64: [d]. */
  public Tensor input() {
    discretise();
    return Tensor.of(input, order);
  }

  /**
   * The impulse response in float64.
   *
   * @param length T
   * @return Ā^j B̄ for each distance j = 0 … T - 1: [T, d]
   */
  public synchronized Tensor response(long length) {
    if (response.length < length * order) {
      try (Scope scope = Scope.open();
          Mode constant = Autograd.noGrad()) {
        response = doubled(length).toDoubles();
      }
    }
    return Tensor.of(response, response.length / order, order).narrow(0, 0, length);
  }

  /** The response for at least so many distances, twice as many in each round. */
  private Tensor doubled(long length) {
    Tensor all = input().unsqueeze(0);
    Tensor power = transition();
    while (all.size(0) < length) {
      all = Tensor.cat(0, all, all.matmul(power.t()));
      power = power.matmul(power);
    }
    return all;
  }

  private synchronized void discretise() {
    if (transition != null) {
      return;
    }
    int size = order + 1;
    double[] system = new double[size * size];
    for (int i = 0; i < order; i++) {
      double rate = (2 * i + 1) / window;
      for (int j = 0; j < order; j++) {
        system[i * size + j] = i < j || (i - j) % 2 == 0 ? -rate : rate;
      }
      system[i * size + order] = i % 2 == 0 ? rate : -rate;
    }
    try (Scope scope = Scope.open();
        Mode constant = Autograd.noGrad()) {
      Tensor top = EXPONENTIAL.call(Tensor.of(system, size, size)).narrow(0, 0, order);
      input = top.select(1, order).contiguous().toDoubles();
      transition = top.narrow(1, 0, order).contiguous().toDoubles();
    }
  }

  /**
   * Remembers whole signals.
   *
   * @param signals [B, T, C], each channel a signal of its own
   * @return [B, T, C, d]
   */
  public Tensor of(Tensor signals) {
    long batch = signals.size(0);
    long length = signals.size(1);
    Tensor each = signals.transpose(1, 2).reshape(-1, length, 1);
    Tensor kernel = response(length).to(signals.dtype()).unsqueeze(1);
    Tensor memory = CONVOLUTION.matrices(each, kernel);
    return memory.unflatten(0, batch, -1).transpose(1, 2);
  }

  /**
   * Goes on remembering signals.
   *
   * @param signals [B, T, C], what follows
   * @param before [B, C, d], the memory of what came until then; null for none
   * @return [B, T, C, d]; the last step is what to go on with
   */
  public Tensor of(Tensor signals, Tensor before) {
    if (before == null) {
      return of(signals);
    }
    Tensor matrix = transition().to(signals.dtype()).t();
    long length = signals.size(1);
    if (length == 1) {
      Tensor column = input().to(signals.dtype());
      Tensor added = signals.transpose(1, 2).mul(column);
      return before.matmul(matrix).add(added).unsqueeze(1);
    }
    Tensor[] fading = new Tensor[(int) length];
    Tensor last = before;
    for (int t = 0; t < length; t++) {
      last = last.matmul(matrix);
      fading[t] = last;
    }
    return of(signals).add(Tensor.stack(1, fading));
  }
}
