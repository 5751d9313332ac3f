package dev.jformer.testing;

import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Shape;
import java.util.LinkedHashMap;
import java.util.Map;

/** A module's weights as plain Java numbers, which a naive reference computes with. */
public final class Weights {
  private final Map<String, double[]> values = new LinkedHashMap<>();
  private final Map<String, Shape> shapes = new LinkedHashMap<>();

  private Weights() {}

  /** A copy of all parameters and buffers of a module. */
  public static Weights of(Module module) {
    Weights weights = new Weights();
    module
        .parameters()
        .forEach(
            (name, parameter) -> {
              weights.values.put(name, parameter.value().toDoubles());
              weights.shapes.put(name, parameter.value().shape());
            });
    return weights;
  }

  /**
   * Draws all weights of a module anew, so that none is at the zero or one it starts with, and
   * turns them into float64. Matrices get entries of about 1/√columns, vectors of about 1.
   */
  public static <M extends Module> M draw(M module) {
    for (Parameter parameter : module.parameters().values()) {
      if (parameter.isTrainable()) {
        Shape shape = parameter.value().shape();
        double deviation = shape.rank() < 2 ? 0.5 : 1 / Math.sqrt((double) shape.size(-1));
        double mean = shape.rank() < 2 ? 0.3 : 0;
        try (var scope = dev.jformer.tensor.Scope.open()) {
          parameter.replace(
              dev.jformer.tensor.Tensor.empty(DType.FLOAT64, shape.toArray())
                  .normal_(mean, deviation));
        }
      }
    }
    return module;
  }

  /** Whether there is a weight of this name. */
  public boolean has(String name) {
    return values.containsKey(name);
  }

  /** A vector; null if there is none of this name. */
  public double[] vector(String name) {
    return values.get(name);
  }

  /** A matrix, its rows first. */
  public double[][] matrix(String name) {
    double[] flat = values.get(name);
    if (flat == null) {
      throw new IllegalArgumentException("no weight " + name + " among " + values.keySet());
    }
    int columns = (int) shapes.get(name).size(-1);
    double[][] rows = new double[flat.length / columns][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = java.util.Arrays.copyOfRange(flat, i * columns, (i + 1) * columns);
    }
    return rows;
  }

  /** The numbers themselves by name, in row-major order: writing to them changes the weights. */
  public Map<String, double[]> values() {
    return values;
  }
}
