package dev.jformer.run;

import dev.jformer.metrics.Metrics;
import java.util.List;
import java.util.Map;

/**
 * How well a trained model does on some data.
 *
 * @param source the data in a word or two
 * @param count how many units were looked at
 * @param unit what is counted, for example {@code tokens}
 * @param metrics what was measured
 * @param details more about it by name, for example how a score was computed
 * @param parts the results of each file, where several make one; empty for one file
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

  /** For example {@code 1200 tokens: loss 1.4800 nats per token}. */
  @Override
  public String toString() {
    return count + " " + unit + ": " + metrics;
  }
}
