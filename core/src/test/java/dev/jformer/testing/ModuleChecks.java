package dev.jformer.testing;

import static dev.jformer.testing.Close.assertClose;

import dev.jformer.nn.Layer;
import dev.jformer.nn.Module;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/** Checks of a module against a naive reference, in float64. */
public final class ModuleChecks {
  private static final double FORWARD_TOLERANCE = 1e-9;
  private static final double GRADIENT_TOLERANCE = 1e-6;
  private static final double STEP = 1e-5;

  private ModuleChecks() {}

  /** As {@link #matches(Module, UnaryOperator, Naive, Tensor)}, for a layer and random input. */
  public static void matches(Layer layer, Naive naive, int length, int width) {
    Tensor x = Tensor.randn(2, length, width).to(DType.FLOAT64);
    matches(layer, layer::forward, naive, x);
  }

  /**
   * Output and gradients are the reference's, for input x [B, T, D] float64. All weights are drawn
   * anew first, in float64. The reference's gradients, with respect to its input and every weight,
   * are central differences.
   */
  public static void matches(Module module, UnaryOperator<Tensor> forward, Naive naive, Tensor x) {
    Weights.draw(module);
    module.clearGrads();
    Tensor input = x.copy().requiresGrad(true);
    Tensor output = forward.apply(input);
    Weights weights = Weights.of(module);
    double[][][] sequences = sequences(x);
    assertClose(forwardAll(naive, sequences, weights), output, FORWARD_TOLERANCE, "output");

    Tensor direction = Tensor.empty(DType.FLOAT64, output.shape().toArray()).normal_(0, 1);
    output.backward(direction);
    double[] w = direction.toDoubles();
    Supplier<Double> loss = () -> dot(forwardAll(naive, sequences, weights), w);
    double[] inputGradient = new double[(int) x.elements()];
    int next = 0;
    for (double[][] sequence : sequences) {
      for (double[] row : sequence) {
        for (int i = 0; i < row.length; i++) {
          inputGradient[next++] = slope(row, i, loss);
        }
      }
    }
    assertClose(inputGradient, input.grad(), GRADIENT_TOLERANCE, "gradient of the input");
    module
        .parameters()
        .forEach(
            (name, parameter) -> {
              if (parameter.value().requiresGrad()) {
                double[] values = weights.values().get(name);
                double[] gradient = new double[values.length];
                for (int i = 0; i < values.length; i++) {
                  gradient[i] = slope(values, i, loss);
                }
                Tensor computed = parameter.value().grad();
                if (computed == null) {
                  throw new AssertionError("no gradient flows to " + name);
                }
                assertClose(gradient, computed, GRADIENT_TOLERANCE, "gradient of " + name);
              }
            });
  }

  private static double slope(double[] values, int i, Supplier<Double> loss) {
    double before = values[i];
    values[i] = before + STEP;
    double above = loss.get();
    values[i] = before - STEP;
    double below = loss.get();
    values[i] = before;
    return (above - below) / (2 * STEP);
  }

  private static double[] forwardAll(Naive naive, double[][][] sequences, Weights weights) {
    return java.util.Arrays.stream(sequences)
        .map(sequence -> Close.flat(naive.forward(sequence, weights)))
        .flatMapToDouble(java.util.Arrays::stream)
        .toArray();
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  /** A tensor [B, T, D] as Java arrays. */
  public static double[][][] sequences(Tensor x) {
    int batch = (int) x.size(0);
    int length = (int) x.size(1);
    int width = (int) x.size(2);
    double[] flat = x.toDoubles();
    double[][][] sequences = new double[batch][length][];
    for (int b = 0; b < batch; b++) {
      for (int t = 0; t < length; t++) {
        int start = (b * length + t) * width;
        sequences[b][t] = java.util.Arrays.copyOfRange(flat, start, start + width);
      }
    }
    return sequences;
  }
}
