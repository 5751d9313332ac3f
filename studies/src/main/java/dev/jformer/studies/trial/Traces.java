package dev.jformer.studies.trial;

import dev.jformer.studies.evidence.Figure;
import dev.jformer.train.Listener;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Records the metrics that modules report during training ({@link dev.jformer.nn.AuxiliaryLosses}),
 * averaged over intervals.
 */
public final class Traces implements Listener {
  private static final int STRETCHES = 40;

  private final Map<String, Sum> sums = new LinkedHashMap<>();

  /**
   * The course of one metric.
   *
   * @param name of the metric
   * @param steps the last update of each interval
   * @param values means over the intervals
   */
  public record Trace(String name, List<Long> steps, List<Double> values) {
    /** Returns this as a curve of a figure. */
    public Figure.Series curve(String label) {
      return Figure.Series.line(label, steps.stream().map(step -> (double) step).toList(), values);
    }
  }

  private static final class Sum {
    private final List<Long> steps = new ArrayList<>();
    private final List<Double> values = new ArrayList<>();
    private double sum;
    private int count;
  }

  @Override
  public void step(Step step) {
    long stretch = Math.max(1, step.steps() / STRETCHES);
    step.figures()
        .forEach(
            (name, value) -> {
              Sum sum = sums.computeIfAbsent(name, n -> new Sum());
              sum.sum += value;
              sum.count++;
            });
    if (step.step() % stretch == 0) {
      for (Sum sum : sums.values()) {
        if (sum.count > 0) {
          sum.steps.add(step.step());
          sum.values.add(sum.sum / sum.count);
          sum.sum = 0;
          sum.count = 0;
        }
      }
    }
  }

  /** Returns all metrics, in the order in which they were first reported. */
  public List<Trace> all() {
    return sums.entrySet().stream()
        .map(
            entry ->
                new Trace(
                    entry.getKey(),
                    List.copyOf(entry.getValue().steps),
                    List.copyOf(entry.getValue().values)))
        .toList();
  }
}
