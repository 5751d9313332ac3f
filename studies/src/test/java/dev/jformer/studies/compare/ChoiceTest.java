package dev.jformer.studies.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.run.TrainingOutcome;
import dev.jformer.studies.evidence.Estimate;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ChoiceTest {
  private static Result result(
      String name, double speed, double writing, long memory, long bytes, double... losses) {
    return new Result(
        name,
        Arrays.stream(losses)
            .mapToObj(
                loss -> {
                  Metrics metrics = Metrics.ofLoss(loss, "nats");
                  return new Result.Run(outcome(speed, memory, metrics), metrics, 10, bytes);
                })
            .toList(),
        Estimate.exactly(speed),
        new Inference(Estimate.exactly(1), Estimate.exactly(writing), 1));
  }

  private static TrainingOutcome outcome(double speed, long memory, Metrics metrics) {
    return new TrainingOutcome(
        TrainingOutcome.Ending.COMPLETED,
        null,
        10,
        metrics,
        metrics,
        10,
        List.of(),
        List.of(),
        1,
        1,
        speed,
        10,
        1,
        memory);
  }

  private static final Result BASE = result("base", 100, 50, 1000, 10, 2.0, 2.1);
  private static final Result BETTER = result("better", 80, 40, 1200, 12, 1.8, 1.81);
  private static final Result EQUAL = result("equal", 120, Double.NaN, 900, 10, 1.79, 1.83);
  private static final Result SMALL = result("small", 90, 90, 500, 5, 2.06, 2.07);
  private static final Result BAD = result("bad", 500, 500, 1, 1, 5, 5);
  private static final List<Result> ALL = List.of(BASE, BETTER, EQUAL, SMALL, BAD);

  @ParameterizedTest
  @CsvSource({
    "QUALITY, equal", // not told apart from the lowest mean, and faster
    "TRAINING, equal",
    "WRITING, small",
    "MEMORY, small",
    "SIZE, small"
  })
  void picksWhatTheUserWants(Choice.Priority priority, String expected) {
    Choice choice = Choice.of(ALL, priority, 0.02);
    assertEquals(expected, choice.result().name(), choice.reason());
    assertFalse(choice.reason().isBlank());
  }

  @Test
  void staysWithTheBaseWhereNothingIsGoodEnough() {
    Choice choice = Choice.of(List.of(BASE, BAD), Choice.Priority.MEMORY, 0.01);
    assertEquals("base", choice.result().name());
    assertTrue(choice.reason().contains("no technique"), choice.reason());
  }

  @Test
  void saysWhatTheSeedsDoNotTellApart() {
    Result near = result("near", 90, 90, 500, 5, 2.02, 2.12);
    String open = Choice.of(List.of(BASE, near), Choice.Priority.SIZE, 0.02).reason();
    assertTrue(open.contains("not told apart by 2 seeds"), open);
    Result sure = result("sure", 90, 90, 500, 5, 1.2, 1.21);
    String told = Choice.of(List.of(BASE, sure), Choice.Priority.SIZE, 0.02).reason();
    assertFalse(told.contains("told apart"), told);
    Result one = result("one", 90, 90, 500, 5, 1.2);
    String single = Choice.of(List.of(BASE, one), Choice.Priority.SIZE, 0.02).reason();
    assertTrue(single.contains("one seed"), single);
  }

  /** A machine that is busy makes speeds vary: a higher one must be so by more than that. */
  @Test
  void aSpeedWithinTheSpreadOfRoundsIsNoReason() {
    for (double spread : new double[] {1, 40}) {
      Result faster = timed("faster", 110, spread);
      Result base = timed("base", 100, spread);
      String expected = spread == 1 ? "faster" : "base";
      for (Choice.Priority priority : List.of(Choice.Priority.TRAINING, Choice.Priority.READING)) {
        Choice choice = Choice.of(List.of(base, faster), priority, 0.02);
        assertEquals(expected, choice.result().name(), priority + ": " + choice.reason());
      }
    }
  }

  private static Result timed(String name, double speed, double spread) {
    Metrics metrics = Metrics.ofLoss(2, "nats");
    Estimate measured = Estimate.median(speed, speed - spread, speed + spread, 5);
    return new Result(
        name,
        List.of(new Result.Run(outcome(speed, 1, metrics), metrics, 1, 1)),
        measured,
        new Inference(measured, measured, 1));
  }

  @Test
  void aBusyMachineIsWarnedOf() {
    assertTrue(new Load(3, 2).warning().orElseThrow().contains("load 3.0 on 2 processors"));
    assertTrue(new Load(0.2, 2).warning().isEmpty());
    assertTrue(new Load(-1, 2).warning().isEmpty(), "unknown");
    assertEquals("90 s", Load.duration(90));
    assertEquals("30 min", Load.duration(1800));
    assertEquals("2.5 h", Load.duration(9000));
  }

  @Test
  void takesTheHighestWhereHigherIsBetter() {
    List<Result> results =
        List.of(translator("base", 20), translator("better", 30), translator("worse", 10));
    Choice choice = Choice.of(results, Choice.Priority.QUALITY, 0.01);
    assertEquals("better", choice.result().name());
    assertTrue(choice.reason().contains("best bleu, 30"), choice.reason());
    // Within 60 % of the base's 20 is a BLEU of 8 or more: the smallest of those is worth it.
    assertEquals("worse", Choice.of(results, Choice.Priority.SIZE, 0.6).result().name());
    assertEquals("base", Choice.of(results, Choice.Priority.SIZE, 0.4).result().name());
  }

  private static Result translator(String name, double bleu) {
    Metrics metrics = Metrics.of(Metric.higher("bleu", bleu, ""));
    return new Result(
        name,
        List.of(new Result.Run(outcome(1, 1, metrics), metrics, 1, (long) bleu)),
        Estimate.exactly(1),
        Inference.UNKNOWN);
  }

  @Test
  void aTrainingThatDivergedIsNeverChosen() {
    Result.Run failed = new Result.Run(outcome(900, 1, null), null, 1, 0);
    Result diverged =
        new Result("diverged", List.of(failed), Estimate.exactly(900), Inference.UNKNOWN);
    for (Choice.Priority priority : Choice.Priority.values()) {
      assertEquals(
          "base",
          Choice.of(List.of(result("base", 1, 1, 9, 9, 2), diverged), priority, 0.1)
              .result()
              .name());
    }
  }

  @Test
  void theFrontIsWhatNothingBeatsInAll() {
    List<String> front =
        ALL.stream().filter(r -> Choice.isOnFront(r, ALL)).map(Result::name).toList();
    assertEquals(List.of("better", "equal", "small", "bad"), front);
  }

  @ParameterizedTest
  @CsvSource({
    "500steps, STEPS, 500",
    "90s, SECONDS, 90",
    "10m, SECONDS, 600",
    "1.5h, SECONDS, 5400",
    "2e15flops, FLOPS, 2e15",
    "7 Steps, STEPS, 7"
  })
  void readsBudgets(String text, Budget.Kind kind, double amount) {
    assertEquals(new Budget(kind, amount), Budget.parse(text));
  }

  @ParameterizedTest
  @ValueSource(strings = {"0m", "0.5steps", "", "ten", "10", "-3m", "1e999s", "3.4.5m", "5min"})
  void refusesOtherBudgets(String text) {
    var error = assertThrows(IllegalArgumentException.class, () -> Budget.parse(text));
    assertTrue(
        error.getMessage().contains(text) && error.getMessage().contains("10m"),
        error.getMessage());
  }
}
