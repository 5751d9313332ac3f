package dev.jformer.compress.prune;

import dev.jformer.tensor.Shape;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Allocates sparsity to layers, the one choice that random pruning makes besides chance, as in <a
 * href="https://arxiv.org/abs/2202.02643">The Unreasonable Effectiveness of Random Pruning: Return
 * of the Most Naive Baseline for Sparse Training</a>. It says how many weights each layer keeps, so
 * that the model keeps a given share.
 */
public enum SparsityAllocation {
  /** Every layer keeps the same share. */
  UNIFORM,
  /**
   * The first layer keeps all of its weights, the last one at least a fifth, and the others share
   * the rest of the budget equally. (The authors' code divides the rest by all weights, and so
   * keeps fewer than requested.)
   */
  UNIFORM_PLUS,
  /**
   * Erdős-Rényi: shares are proportional to (in + out) / (in out), so that large layers are
   * sparser. Layers that would keep more than all are kept whole.
   */
  ER,
  /** Erdős-Rényi kernel: like ER, with the kernel sizes of convolutions in sums and products. */
  ERK;

  /** The least that the last layer keeps by {@link #UNIFORM_PLUS}. */
  private static final double LAST = 0.2;

  /**
   * Computes the share that each layer keeps.
   *
   * @param shapes of the weights, [out, in] or [out, in, kernel, ...], first layer to last
   * @param density the share that the whole model keeps, in (0, 1]
   * @return the shares by the names of the shapes
   * @throws IllegalArgumentException if the rule cannot keep so few weights
   */
  public Map<String, Double> densities(Map<String, Shape> shapes, double density) {
    return switch (this) {
      case UNIFORM -> filled(shapes, density);
      case UNIFORM_PLUS -> uniformPlus(shapes, density);
      case ER, ERK -> proportional(shapes, density);
    };
  }

  private static Map<String, Double> filled(Map<String, Shape> shapes, double density) {
    Map<String, Double> densities = new LinkedHashMap<>();
    shapes.keySet().forEach(name -> densities.put(name, density));
    return densities;
  }

  private static Map<String, Double> uniformPlus(Map<String, Shape> shapes, double density) {
    List<String> names = new ArrayList<>(shapes.keySet());
    String first = names.get(0);
    String last = names.get(names.size() - 1);
    double all = shapes.values().stream().mapToDouble(Shape::elements).sum();
    double least = density < LAST ? LAST : 0;
    double budget = density * all - shapes.get(first).elements();
    double others = all - shapes.get(first).elements();
    if (least > 0 && names.size() > 1) {
      budget -= least * shapes.get(last).elements();
      others -= shapes.get(last).elements();
    }
    if (budget < 0) {
      throw new IllegalArgumentException(
          "the density "
              + density
              + " is less than what uniform-plus keeps of the first and last layer: use a higher density or"
              + " another allocation");
    }
    Map<String, Double> densities = filled(shapes, others == 0 ? 1 : budget / others);
    densities.put(first, 1.0);
    if (least > 0 && names.size() > 1) {
      densities.put(last, least);
    }
    return densities;
  }

  private Map<String, Double> proportional(Map<String, Shape> shapes, double density) {
    double kept = density * shapes.values().stream().mapToDouble(Shape::elements).sum();
    Set<String> whole = new HashSet<>();
    while (true) {
      double budget = kept;
      double weighted = 0;
      for (Map.Entry<String, Shape> layer : shapes.entrySet()) {
        double size = layer.getValue().elements();
        if (whole.contains(layer.getKey())) {
          budget -= size;
        } else {
          weighted += size * raw(layer.getValue());
        }
      }
      double factor = weighted == 0 ? 0 : budget / weighted;
      double highest = 0;
      for (Map.Entry<String, Shape> layer : shapes.entrySet()) {
        if (!whole.contains(layer.getKey())) {
          highest = Math.max(highest, raw(layer.getValue()));
        }
      }
      if (highest * factor <= 1) {
        Map<String, Double> densities = new LinkedHashMap<>();
        shapes.forEach(
            (name, shape) -> densities.put(name, whole.contains(name) ? 1 : factor * raw(shape)));
        return densities;
      }
      for (Map.Entry<String, Shape> layer : shapes.entrySet()) {
        if (!whole.contains(layer.getKey()) && raw(layer.getValue()) == highest) {
          whole.add(layer.getKey());
        }
      }
    }
  }

  private double raw(Shape shape) {
    double sum = 0;
    double product = 1;
    int rank = this == ER ? 2 : shape.rank();
    for (int i = 0; i < rank; i++) {
      sum += shape.size(i);
      product *= shape.size(i);
    }
    return sum / product;
  }
}
