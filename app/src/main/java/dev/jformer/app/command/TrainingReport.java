package dev.jformer.app.command;

import com.fasterxml.jackson.annotation.JsonAnyGetter;
import com.fasterxml.jackson.annotation.JsonInclude;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.run.RunResult;
import dev.jformer.run.TrainingOutcome;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What {@code jformer train} prints of a run.
 *
 * @param ending why it ended
 * @param steps updates of the weights
 * @param bestStep the update after which the best weights were kept
 * @param validation metrics by the names that JSON has for them, such as {@code bestValidationLoss}
 * @param test metrics of the model and of simple others on test data, if there is some
 * @param run the run's folder
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
record TrainingReport(
    String ending,
    long steps,
    long bestStep,
    @JsonAnyGetter Map<String, Double> validation,
    Map<String, Map<String, Double>> test,
    String run) {
  static TrainingReport of(RunResult result) {
    Map<String, Double> validation = new LinkedHashMap<>();
    if (result.training().last() != null) {
      validation.put("validationLoss", result.training().last().loss());
    }
    if (result.training().best() != null) {
      validation.put("bestValidationLoss", result.training().best().loss());
      for (Metric metric : result.training().best().all()) {
        String name = metric.name();
        validation.put(
            "bestValidation" + name.substring(0, 1).toUpperCase(Locale.ROOT) + name.substring(1),
            metric.value());
      }
    }
    Map<String, Map<String, Double>> test = new LinkedHashMap<>();
    result.test().forEach((model, metrics) -> test.put(model, values(metrics)));
    return new TrainingReport(
        result.training().ending().name().toLowerCase(Locale.ROOT),
        result.training().steps(),
        result.training().bestStep(),
        validation,
        test,
        result.folder().toString());
  }

  private static Map<String, Double> values(Metrics metrics) {
    Map<String, Double> values = new LinkedHashMap<>();
    metrics.all().forEach(metric -> values.put(metric.name(), metric.value()));
    return values;
  }

  /** The result in lines: metrics on test data, if there is some, and how training ended. */
  static String text(RunResult result) {
    TrainingOutcome training = result.training();
    String test = result.test().isEmpty() ? "" : "on test data:\n" + table(result.test());
    return test
        + String.format(
            Locale.ROOT,
            "%s at step %d; best validation %s, at step %d",
            training.ending() == TrainingOutcome.Ending.COMPLETED ? "done" : "stopped early",
            training.steps(),
            training.best() == null ? "loss unknown" : MetricsText.of(training.best()),
            training.bestStep());
  }

  /** Metrics of several models as a table; empty for none. */
  static String table(Map<String, Metrics> models) {
    if (models.isEmpty()) {
      return "";
    }
    List<List<String>> rows = new ArrayList<>();
    List<Metric> columns = models.values().iterator().next().all();
    List<String> header = new ArrayList<>(List.of(""));
    columns.forEach(metric -> header.add(Printer.label(metric.name())));
    rows.add(header);
    models.forEach(
        (model, metrics) -> {
          List<String> row = new ArrayList<>(List.of(model));
          metrics.all().forEach(metric -> row.add(MetricsText.value(metric)));
          rows.add(row);
        });
    List<Boolean> right = new ArrayList<>(Collections.nCopies(header.size(), true));
    right.set(0, false);
    return Printer.aligned(rows, right);
  }
}
