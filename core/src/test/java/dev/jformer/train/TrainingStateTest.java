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

class TrainingStateTest {
  private static final Metrics BLEU =
      Metrics.of(Metric.higher("bleu", 30, "of 100"), Metric.lower("loss", 1.5, "nats per token"));

  private static TrainingState read(String json) throws IOException {
    return TrainingState.of(json.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void isReadAsItWasWritten() throws IOException {
    TrainingState progress = new TrainingState().after(4).evaluated(BLEU).after(8);
    assertEquals(progress, TrainingState.of(progress.toJson()));
    assertEquals(new TrainingState(), TrainingState.of(new TrainingState().toJson()));
    TrainingState infinite = progress.evaluated(Metrics.ofLoss(Double.POSITIVE_INFINITY, "nats"));
    assertEquals(infinite, TrainingState.of(infinite.toJson()));
  }

  @Test
  void aLossOfAnEarlierVersionIsComparedAsItIs() throws IOException {
    TrainingState old = read("{'step':8,'bestLoss':1.5,'bestStep':4,'stale':1,'lastLoss':1.75}");
    TrainingState worse = old.evaluated(Metrics.ofLoss(1.6, "nats"));
    assertEquals(1.5, worse.best().get("loss"));
    assertEquals(4, worse.bestStep());
    assertEquals(2, worse.stale());
    assertEquals(8, old.evaluated(Metrics.ofLoss(1.4, "nats")).bestStep());
  }

  @Test
  void whatBleuLackedOfAHundredInAnEarlierVersionIsConverted() throws IOException {
    TrainingState old = read("{'step':8,'bestLoss':68.0,'bestStep':4,'stale':0,'lastLoss':68.0}");
    TrainingState worse = old.evaluated(BLEU);
    assertEquals(32, worse.best().get("bleu"));
    assertEquals(4, worse.bestStep());
    TrainingState better = old.evaluated(Metrics.of(Metric.higher("bleu", 33, "of 100")));
    assertEquals(33, better.bestValue());
    assertEquals(8, better.bestStep());
  }

  @Test
  void aRunOfAnEarlierVersionThatWasNotEvaluatedYetHasNoBest() throws IOException {
    TrainingState old =
        read(
            "{'step':8,'bestLoss':1.7976931348623157E308,'bestStep':0,'stale':0,"
                + "'lastLoss':1.7976931348623157E308}");
    assertNull(old.best());
    assertEquals(30, old.evaluated(BLEU).bestValue());
  }

  @Test
  void aBestOfAnotherMetricIsForgotten() {
    TrainingState progress =
        new TrainingState().after(4).evaluated(Metrics.ofLoss(0.1, "nats")).after(8);
    assertEquals(30, progress.evaluated(BLEU).bestValue());
    assertEquals(8, progress.evaluated(BLEU).bestStep());
  }

  @Test
  void whatIsNotFiniteIsNeverTheBest() {
    TrainingState progress = new TrainingState().evaluated(Metrics.ofLoss(Double.NaN, "nats"));
    assertNull(progress.best());
    assertEquals(1, progress.stale());
    assertEquals(Double.MAX_VALUE, progress.bestValue());
  }

  @Test
  void saysWhatIsMissing() {
    assertThrows(FormatException.class, () -> read("{}"));
  }
}
