package dev.jformer.nn;

import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleSupplier;

/**
 * Collects auxiliary losses and metrics that modules report while a model runs: losses are added to
 * the task's, metrics are logged. Tasks report of how many predictions their loss is the mean. A
 * trainer collects during each pass; without an open collector reports are dropped and cost
 * nothing.
 *
 * <pre>{@code
 * try (AuxiliaryLosses auxiliary = AuxiliaryLosses.collect()) {
 *   Tensor loss = auxiliary.addTo(task.loss(batch));
 * }
 * }</pre>
 *
 * Reports go to the innermost open collector of the calling thread. A loss lives until its
 * collector is closed.
 */
public final class AuxiliaryLosses implements AutoCloseable {
  private static final ThreadLocal<AuxiliaryLosses> INNERMOST = new ThreadLocal<>();

  private final AuxiliaryLosses outer = INNERMOST.get();
  private final List<Tensor> losses = new ArrayList<>();
  private final Map<String, double[]> metrics = new LinkedHashMap<>();
  private final double[] predictions = new double[2];

  private AuxiliaryLosses() {
    INNERMOST.set(this);
  }

  /** Opens a collector. */
  public static AuxiliaryLosses collect() {
    return new AuxiliaryLosses();
  }

  /** Whether a collector is open, so that a loss is worth computing. */
  public static boolean isCollecting() {
    return INNERMOST.get() != null;
  }

  /** Reports a loss: a scalar with a gradient, already weighted. */
  public static void loss(Tensor weighted) {
    AuxiliaryLosses collector = INNERMOST.get();
    if (collector != null) {
      collector.losses.add(weighted.keep());
    }
  }

  /** Reports a metric; several values of one name are averaged. */
  public static void metric(String name, DoubleSupplier value) {
    AuxiliaryLosses collector = INNERMOST.get();
    if (collector != null) {
      double[] sum = collector.metrics.computeIfAbsent(name, n -> new double[2]);
      sum[0] += value.getAsDouble();
      sum[1]++;
    }
  }

  /**
   * Reports that a task's loss is the mean of so many predictions, for example tokens. Where
   * gradients of several batches are accumulated for one update, batches count by this number. Of
   * several reports in one pass the mean counts; without one all batches count alike.
   */
  public static void predictions(long count) {
    AuxiliaryLosses collector = INNERMOST.get();
    if (collector != null) {
      collector.predictions[0] += count;
      collector.predictions[1]++;
    }
  }

  /** The number of predictions reported so far, a mean over the reports; 1 without a report. */
  public double predictions() {
    return predictions[1] == 0 ? 1 : predictions[0] / predictions[1];
  }

  /** Whether a loss was reported so far. */
  public boolean hasLosses() {
    return !losses.isEmpty();
  }

  /** The sum of a task's loss and the losses collected so far. */
  public Tensor addTo(Tensor loss) {
    Tensor sum = loss;
    for (Tensor each : losses) {
      sum = sum.add(each);
    }
    return sum;
  }

  /** The metrics collected so far by name, in the order of their first report. */
  public Map<String, Double> metrics() {
    Map<String, Double> means = new LinkedHashMap<>();
    metrics.forEach((name, sum) -> means.put(name, sum[0] / sum[1]));
    return means;
  }

  /** Ends collecting, and releases the losses. */
  @Override
  public void close() {
    losses.forEach(Tensor::close);
    if (outer == null) {
      INNERMOST.remove();
    } else {
      INNERMOST.set(outer);
    }
  }
}
