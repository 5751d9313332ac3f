package dev.jformer.app.command;

import com.fasterxml.jackson.annotation.JsonValue;
import dev.jformer.metrics.Metric;
import dev.jformer.run.EvaluationResult;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What {@code jformer eval} prints.
 *
 * @param result what was measured
 * @param values the fields of JSON: the count under the name of its unit, each metric, details, and
 *     the primary metric of each file where there are several
 */
record EvaluationReport(EvaluationResult result, @JsonValue Map<String, Object> values) {
  static EvaluationReport of(EvaluationResult result) {
    Map<String, Object> values = new LinkedHashMap<>();
    values.put(result.unit(), result.count());
    for (Metric metric : result.metrics().all()) {
      values.put(metric.name(), metric.value());
    }
    values.putAll(result.details());
    if (!result.parts().isEmpty()) {
      Map<String, Double> files = new LinkedHashMap<>();
      for (EvaluationResult part : result.parts()) {
        files.put(part.source(), part.metrics().primary().value());
      }
      values.put("files", files);
      values.put(result.source(), result.metrics().primary().value());
    }
    return new EvaluationReport(result, values);
  }

  /** The result in lines. */
  String text() {
    StringBuilder text = new StringBuilder();
    for (EvaluationResult part : result.parts()) {
      text.append(Path.of(part.source()).getFileName()).append(", ").append(line(part));
    }
    text.append(result.parts().isEmpty() ? "" : result.source() + ", ").append(line(result));
    result.details().forEach((name, value) -> text.append(name + ": " + value + "\n"));
    return text.toString();
  }

  private static String line(EvaluationResult result) {
    String count = Printer.count(result.count());
    return count + " " + result.unit() + ": " + MetricsText.of(result.metrics()) + "\n";
  }
}
