package dev.jformer.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.jformer.io.FormatException;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private static final Metrics BLEU =
      Metrics.of(Metric.higher("bleu", 30, "of 100"), Metric.lower("loss", 1.5, "nats per token"));

  private static Progress read(String json) throws IOException {
    return Progress.of(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void isReadAsItWasWritten() throws IOException {
    Progress progress = new Progress().after(4).evaluated(BLEU).after(8);
    assertEquals(progress, Progress.of(progress.toJson()));
    assertEquals(new Progress(), Progress.of(new Progress().toJson()));
    Progress infinite = progress.evaluated(Metrics.ofLoss(Double.POSITIVE_INFINITY, "nats"));
    assertEquals(infinite, Progress.of(infinite.toJson()));
  }

  @Test
  void aLossOfAnEarlierVersionIsComparedAsItIs() throws IOException {
    Progress old = read("{'step':8,'bestLoss':1.5,'bestStep':4,'stale':1,'lastLoss':1.75}");
    Progress worse = old.evaluated(Metrics.ofLoss(1.6, "nats"));
    assertEquals(1.5, worse.best().get("loss"));
    assertEquals(4, worse.bestStep());
    assertEquals(2, worse.stale());
    assertEquals(8, old.evaluated(Metrics.ofLoss(1.4, "nats")).bestStep());
  }

  @Test
  void whatBleuLackedOfAHundredInAnEarlierVersionIsConverted() throws IOException {
    Progress old = read("{'step':8,'bestLoss':68.0,'bestStep':4,'stale':0,'lastLoss':68.0}");
    Progress worse = old.evaluated(BLEU);
    assertEquals(32, worse.best().get("bleu"));
    assertEquals(4, worse.bestStep());
    Progress better = old.evaluated(Metrics.of(Metric.higher("bleu", 33, "of 100")));
    assertEquals(33, better.bestValue());
    assertEquals(8, better.bestStep());
  }

  @Test
  void aRunOfAnEarlierVersionThatWasNotEvaluatedYetHasNoBest() throws IOException {
    Progress old =
        read(
            "{'step':8,'bestLoss':1.7976931348623157E308,'bestStep':0,'stale':0,"
                + "'lastLoss':1.7976931348623157E308}");
    assertNull(old.best());
    assertEquals(30, old.evaluated(BLEU).bestValue());
  }

  @Test
  void aBestOfAnotherMetricIsForgotten() {
    Progress progress = new Progress().after(4).evaluated(Metrics.ofLoss(0.1, "nats")).after(8);
    assertEquals(30, progress.evaluated(BLEU).bestValue());
    assertEquals(8, progress.evaluated(BLEU).bestStep());
  }

  @Test
  void whatIsNotFiniteIsNeverTheBest() {
    Progress progress = new Progress().evaluated(Metrics.ofLoss(Double.NaN, "nats"));
    assertNull(progress.best());
    assertEquals(1, progress.stale());
    assertEquals(Double.MAX_VALUE, progress.bestValue());
  }

  @Test
  void saysWhatIsMissing() {
    assertThrows(FormatException.class, () -> read("{}"));
  }
}
