package dev.jformer.tensor;

import java.util.HashMap;
import java.util.Map;

/**
 * Counts the floating-point operations of matrix products and convolutions from the shapes that
 * pass through {@link Tensor} and {@link Functional}. A multiplication and an addition count as
 * two. Element-wise operations, normalisations, operators called by name and the backward pass are
 * not counted; the backward pass of a product costs twice the product. Causal attention counts the
 * half that its kernel computes.
 */
public final class Flops {
  private static final ThreadLocal<double[]> COUNTER = new ThreadLocal<>();

  private Flops() {}

  /** Counts the operations that {@code body} causes in this thread. */
  public static double of(Runnable body) {
    double[] outer = COUNTER.get();
    double[] counter = new double[1];
    COUNTER.set(counter);
    try {
      body.run();
    } finally {
      if (outer == null) {
        COUNTER.remove();
      } else {
        outer[0] += counter[0];
        COUNTER.set(outer);
      }
    }
    return counter[0];
  }

  static void linear(Tensor x, Tensor weight) {
    if (COUNTER.get() != null) {
      linear(x.elements(), weight.size(0));
    }
  }

  static void linear(Tensor x, long out) {
    if (COUNTER.get() != null) {
      linear(x.elements(), out);
    }
  }

  /** Counts a product of rows with that many numbers together, for {@code out} numbers each. */
  static void linear(long numbers, long out) {
    if (COUNTER.get() != null) {
      add(2.0 * numbers * out);
    }
  }

  static void matmul(Tensor a, Tensor result) {
    if (COUNTER.get() != null) {
      add(2.0 * result.elements() * a.size(-1));
    }
  }

  static void attention(Tensor query, Tensor key, Tensor value, boolean causal) {
    if (COUNTER.get() != null) {
      double pairs = (double) query.elements() / query.size(-1) * key.size(2);
      add((causal ? 0.5 : 1) * 2 * pairs * (query.size(-1) + value.size(-1)));
    }
  }

  static void convolution(Tensor weight, Tensor result) {
    if (COUNTER.get() != null) {
      add(2.0 * result.elements() * weight.elements() / weight.size(0));
    }
  }

  /** Counts a product over all values of all indices, as a single contraction computes it. */
  static void einsum(String equation, Tensor... operands) {
    if (COUNTER.get() == null || operands.length < 2 || equation.contains(".")) {
      return;
    }
    String[] inputs = equation.replace(" ", "").split("->", -1)[0].split(",", -1);
    Map<Character, Long> sizes = new HashMap<>();
    for (int i = 0; i < inputs.length; i++) {
      for (int d = 0; d < inputs[i].length(); d++) {
        sizes.put(inputs[i].charAt(d), operands[i].size(d));
      }
    }
    double product = 2.0 * (operands.length - 1);
    for (long size : sizes.values()) {
      product *= size;
    }
    add(product);
  }

  private static void add(double operations) {
    COUNTER.get()[0] += operations;
  }
}
