package dev.jformer.run;

import dev.jformer.metrics.Metrics;
import java.util.List;
import java.util.Map;

/**
 * The result of evaluating a trained model.
 *
 * @param source a short name of the data
 * @param count number of units evaluated
 * @param unit the unit of the count, for example {@code tokens}
 * @param metrics the measured values
 * @param details further details by name, for example how a score was computed
 * @param parts the results of each file if there are several; empty for one file
 */
public record EvaluationResult(
    String source,
    long count,
    String unit,
    Metrics metrics,
    Map<String, String> details,
    List<EvaluationResult> parts) {
  static EvaluationResult of(String source, long count, String unit, Metrics metrics) {
    return new EvaluationResult(source, count, unit, metrics, Map.of(), List.of());
  }

  /** Formats the result, for example as {@code 1200 tokens: loss 1.4800 nats per token}. */
  @Override
  public String toString() {
    return count + " " + unit + ": " + metrics;
  }
}
