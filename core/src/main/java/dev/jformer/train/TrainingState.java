package dev.jformer.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.io.FormatException;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The state of a run, apart from its tensors.
 *
 * @param step number of updates done
 * @param best the metrics of the best evaluation so far; null before the first
 * @param bestStep number of updates before the best evaluation
 * @param stale number of evaluations since the best one
 * @param last the metrics of the latest evaluation; null before the first
 */
record TrainingState(long step, Metrics best, long bestStep, int stale, Metrics last) {
  private static final JsonMapper JSON = new JsonMapper();

  /** The name of the best value in files of earlier versions. It is the loss, or 100 minus BLEU. */
  private static final String FORMER = "bestLoss";

  private static final double MOST_BLEU = 100;

  TrainingState() {
    this(0, null, 0, 0, null);
  }

  TrainingState after(long newStep) {
    return new TrainingState(newStep, best, bestStep, stale, last);
  }

  /** This state as if the latest evaluation had been the best. */
  TrainingState renewed() {
    return new TrainingState(step, best, bestStep, 0, last);
  }

  TrainingState evaluated(Metrics metrics) {
    Metrics before = comparable(metrics.primary());
    if (before == null
        ? Double.isFinite(metrics.primary().value())
        : metrics.primary().isBetterThan(before.primary().value())) {
      return new TrainingState(step, metrics, step, 0, metrics);
    }
    return new TrainingState(step, before, bestStep, stale + 1, metrics);
  }

  /** The best metrics so far if they are comparable with a metric; null otherwise. */
  private Metrics comparable(Metric now) {
    if (best == null || best.primary().name().equals(now.name())) {
      return best;
    }
    if (!best.primary().name().equals(FORMER)) {
      return null;
    }
    double former = best.primary().value();
    double value = now.higherIsBetter() ? MOST_BLEU - former : former;
    return Metrics.of(new Metric(now.name(), value, now.unit(), now.higherIsBetter()));
  }

  /**
   * The best value of the primary metric of the latest evaluation; infinitely bad before the first
   * one.
   */
  double bestValue() {
    if (best != null) {
      return best.primary().value();
    }
    return last != null && last.primary().higherIsBetter() ? -Double.MAX_VALUE : Double.MAX_VALUE;
  }

  byte[] toJson() throws IOException {
    ObjectNode node = JSON.createObjectNode().put("step", step);
    node.set("best", JSON.valueToTree(best == null ? null : best.all()));
    node.put("bestStep", bestStep).put("stale", stale);
    node.set("last", JSON.valueToTree(last == null ? null : last.all()));
    return JSON.writeValueAsBytes(node);
  }

  /**
   * Reads a state that {@link #toJson} or an earlier version wrote.
   *
   * @throws FormatException if a field is missing
   */
  static TrainingState of(byte[] json) throws IOException {
    JsonNode node = JSON.readTree(json);
    if (!node.path("step").isIntegralNumber()) {
      throw new FormatException("the progress has no 'step': expected the number of updates");
    }
    return new TrainingState(
        node.get("step").asLong(),
        node.has(FORMER) ? former(node.get(FORMER)) : metrics(node.path("best")),
        node.path("bestStep").asLong(),
        node.path("stale").asInt(),
        node.has("lastLoss") ? former(node.get("lastLoss")) : metrics(node.path("last")));
  }

  private static Metrics former(JsonNode loss) {
    double value = loss.asDouble();
    return value == Double.MAX_VALUE ? null : Metrics.of(Metric.lower(FORMER, value, ""));
  }

  private static Metrics metrics(JsonNode list) {
    List<Metric> all = new ArrayList<>();
    for (JsonNode metric : list) {
      all.add(
          new Metric(
              metric.path("name").asText(),
              metric.path("value").asDouble(),
              metric.path("unit").asText(),
              metric.path("higherIsBetter").asBoolean()));
    }
    return all.isEmpty() ? null : new Metrics(all);
  }
}
