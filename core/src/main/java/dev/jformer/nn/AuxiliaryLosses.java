package dev.jformer.nn;

import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleSupplier;

/**
 * What modules have to say beside their output while a model runs: losses that are to be made small
 * together with the task's, and figures to be logged. A trainer listens during each pass; without
 * someone who listens what is said is lost, and costs nothing.
 *
 * <pre>{@code
 * try (AuxiliaryLosses auxiliary = AuxiliaryLosses.listen()) {
 *   Tensor loss = auxiliary.addTo(task.loss(batch));
 * }
 * }</pre>
 *
 * The innermost open listener hears it, in the calling thread. A loss lives as long as the scope it
 * was made in.
 */
public final class AuxiliaryLosses implements AutoCloseable {
  private static final ThreadLocal<AuxiliaryLosses> INNERMOST = new ThreadLocal<>();

  private final AuxiliaryLosses outer = INNERMOST.get();
  private final List<Tensor> losses = new ArrayList<>();
  private final Map<String, double[]> metrics = new LinkedHashMap<>();

  private AuxiliaryLosses() {
    INNERMOST.set(this);
  }

  /** Begins to listen. */
  public static AuxiliaryLosses collect() {
    return new AuxiliaryLosses();
  }

  /** Whether someone listens, for losses that cost something to compute. */
  public static boolean isCollecting() {
    return INNERMOST.get() != null;
  }

  /** Adds a loss, a scalar that gradients flow from, weighted already. */
  public static void loss(Tensor weighted) {
    AuxiliaryLosses listener = INNERMOST.get();
    if (listener != null) {
      listener.losses.add(weighted);
    }
  }

  /** Tells a figure; of several under one name the mean counts. */
  public static void metric(String name, DoubleSupplier value) {
    AuxiliaryLosses listener = INNERMOST.get();
    if (listener != null) {
      double[] sum = listener.metrics.computeIfAbsent(name, n -> new double[2]);
      sum[0] += value.getAsDouble();
      sum[1]++;
    }
  }

  /** The sum of a task's loss and of those heard until now. */
  public Tensor addTo(Tensor loss) {
    Tensor sum = loss;
    for (Tensor each : losses) {
      sum = sum.add(each);
    }
    return sum;
  }

  /** The figures heard until now by name, in the order they came in first. */
  public Map<String, Double> metrics() {
    Map<String, Double> means = new LinkedHashMap<>();
    metrics.forEach((name, sum) -> means.put(name, sum[0] / sum[1]));
    return means;
  }

  /** Ceases to listen. */
  @Override
  public void close() {
    if (outer == null) {
      INNERMOST.remove();
    } else {
      INNERMOST.set(outer);
    }
  }
}
