package dev.jformer.nn.kan;

import dev.jformer.config.Checks;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * A layer of a Kolmogorov-Arnold network (<a href="https://arxiv.org/abs/2404.19756">KAN:
 * Kolmogorov-Arnold Networks</a>): output j is the sum over inputs i of {@code w_ji silu(x_i) + Σ_m
 * c_jim B_m(x_i)}, where the B are the G + k B-splines of degree k on an even grid of G intervals:
 * [..., in] to [..., out].
 *
 * <p>The grid is fixed; the authors' code can adapt it to the data. Their scale for the spline of
 * each pair is part of its coefficients here.
 */
public final class SplineLayer extends Layer {
  private final int degree;
  private final List<Double> knots;
  private final Parameter base;
  private final Parameter coefficients;

  /**
   * Creates a layer.
   *
   * @param intervals number G of intervals
   * @param degree degree k of the splines
   * @param range the grid reaches from minus this to this
   * @param initializer makes the weights [out, in] of silu; coefficients start as small as the
   *     authors' noise, a tenth of 1/G
   */
  public SplineLayer(
      int in, int out, int intervals, int degree, double range, Initializer initializer) {
    check(intervals, degree, range);
    this.degree = degree;
    this.knots = new ArrayList<>();
    for (int i = -degree; i <= intervals + degree; i++) {
      knots.add(range * (2.0 * i / intervals - 1));
    }
    this.base = parameter("base", initializer.create(out, in));
    long splines = (long) in * (intervals + degree);
    this.coefficients =
        parameter("coefficients", initializer.create(out, splines).mul(0.1 / intervals));
  }

  /** Checks a grid. */
  public static void check(int intervals, int degree, double range) {
    Checks.atLeast("intervals", intervals, 1);
    Checks.atLeast("degree", degree, 1);
    Checks.moreThan("range", range, 0);
  }

  @Override
  public Tensor forward(Tensor x) {
    Tensor linear = Functional.linear(Functional.silu(x), base.value(), null);
    Tensor splines = basis(x).flatten(-2, -1);
    return linear.add(Functional.linear(splines, coefficients.value(), null));
  }

  /** The values of all B-splines by the recursion of Cox and de Boor: [..., in, G + k]. */
  Tensor basis(Tensor x) {
    Tensor wide = x.unsqueeze(-1);
    int n = knots.size();
    Tensor grid =
        Tensor.of(knots.stream().mapToDouble(Double::doubleValue).toArray()).to(x.dtype());
    Tensor above = wide.sub(grid); // [..., in, knots]
    Tensor inside =
        above
            .narrow(-1, 0, n - 1)
            .ge(0)
            .and(above.narrow(-1, 1, n - 1).lt(0))
            .to(x.dtype() == DType.BFLOAT16 ? DType.FLOAT32 : x.dtype());
    Tensor splines = inside;
    double step = knots.get(1) - knots.get(0);
    for (int k = 1; k <= degree; k++) {
      int count = n - 1 - k;
      Tensor left = above.narrow(-1, 0, count).mul(splines.narrow(-1, 0, count));
      Tensor right = above.narrow(-1, k + 1, count).mul(splines.narrow(-1, 1, count));
      splines = left.sub(right).mul(1 / (k * step));
    }
    return splines;
  }
}
