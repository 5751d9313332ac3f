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
 * Where a run stands, apart from its tensors.
 *
 * @param step updates done
 * @param best the metrics of the best evaluation so far; null before the first
 * @param bestStep after which update
 * @param stale evaluations since then
 * @param last the metrics of the latest evaluation; null before the first
 */
record TrainingState(long step, Metrics best, long bestStep, int stale, Metrics last) {
  private static final JsonMapper JSON = new JsonMapper();

  /**
   * The name of the number in files of earlier versions that knew losses only. It is the loss, or
   * what BLEU lacks of 100.
   */
  private static final String FORMER = "bestLoss";

  private static final double MOST_BLEU = 100;

  TrainingState() {
    this(0, null, 0, 0, null);
  }

  TrainingState after(long newStep) {
    return new TrainingState(newStep, best, bestStep, stale, last);
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

  /** The best metrics so far if they can be compared with a value; null if there are none such. */
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

  /** The best value of the metric that was evaluated last; the worst there is before the first. */
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
   * Reads what {@link #toJson} or an earlier version wrote.
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
