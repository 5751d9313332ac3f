package dev.jformer.studies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.trial.Cost;
import dev.jformer.studies.trial.TrainingResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExperimentContextTest {
  @TempDir private Path folder;

  record Measured(double value) {}

  private ExperimentContext lab(String conditions) {
    return new ExperimentContext(
        Scale.SMOKE, null, new Notebook(folder, conditions, "test"), Watcher.NONE);
  }

  @Test
  void remembersWhatWasMeasuredUnderTheSameConditions() throws IOException {
    List<String> measured = new ArrayList<>();
    Measured first = lab("a").measure("x", Measured.class, () -> count(measured, 1.5));
    assertEquals(first, lab("a").measure("x", Measured.class, () -> count(measured, 2)));
    assertEquals(1, measured.size());
    assertEquals(2, lab("b").measure("x", Measured.class, () -> count(measured, 2)).value());
    assertEquals(3, lab("b").measure("y", Measured.class, () -> count(measured, 3)).value());
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.writeString(file, "{\"name\":"); // damaged
      }
    }
    assertEquals(4, lab("b").measure("x", Measured.class, () -> count(measured, 4)).value());
    assertEquals(4, measured.size());
  }

  @Test
  void remembersNumbersThatAreNone() {
    lab("a").measure("x", Measured.class, () -> new Measured(Double.NaN));
    assertTrue(Double.isNaN(lab("a").measure("x", Measured.class, () -> new Measured(1)).value()));
    lab("a").measure("z", Measured.class, () -> new Measured(Double.POSITIVE_INFINITY));
    assertEquals(
        Double.POSITIVE_INFINITY,
        lab("a").measure("z", Measured.class, () -> new Measured(1)).value());
  }

  @Test
  void remembersArmsThatWereMeasuredTogetherInTheirOrder() {
    Map<String, Measured> arms = new LinkedHashMap<>();
    arms.put("z", new Measured(1));
    arms.put("a", new Measured(2));
    var first = lab("a").measureTogether("both", Measured.class, progress -> arms);
    assertEquals(List.of("z", "a"), first.names());
    assertEquals(first, lab("a").measureTogether("both", Measured.class, progress -> Map.of()));
  }

  @Test
  void remembersArmsOfEachSeed() {
    var first =
        lab("a")
            .learnTogether(
                "both", Measured.class, 2, s -> Map.of("a", new Measured((double) s.seed())));
    assertEquals(1.5, first.of("a", Measured::value).value());
    assertEquals(first, lab("a").learnTogether("both", Measured.class, 2, s -> Map.of()));
  }

  private static Measured count(List<String> measured, double value) {
    measured.add("once");
    return new Measured(value);
  }

  @Test
  void checksAreNeverTrueOfNoNumber() {
    assertTrue(Check.atMost("a", 1, 1).holds());
    assertFalse(Check.below("a", 1, 1).holds());
    assertFalse(Check.atMost("a", Double.NaN, 1).holds());
    assertFalse(Check.atLeast("a", Double.NaN, 1).holds());
    assertFalse(Check.all(Check.above("a", 2, 1), Check.above("b", 1, 2)).holds());
    assertEquals("a 1.500 is not ≤ 1", Check.atMost("a", 1.5, 1).text());
  }

  @Test
  void findsWhenALossWasReached() {
    TrainingResult run =
        new TrainingResult(
            List.of(),
            List.of(
                new TrainingResult.Point(10, 1, 3),
                new TrainingResult.Point(20, 2, 2),
                new TrainingResult.Point(30, 3, 2.5)),
            2.5,
            30,
            3,
            100,
            1,
            -1,
            1,
            false);
    assertEquals(15, run.stepsTo(2.5));
    assertEquals(1.5, run.secondsTo(2.5));
    assertEquals(10, run.stepsTo(4));
    assertTrue(Double.isNaN(run.stepsTo(1.9)));
    assertEquals(2, run.bestLoss());
  }

  @Test
  void fitsExponentsAndFindsCrossings() {
    Cost square = cost(2, 1e-6);
    Cost line = cost(1, 1e-3);
    assertEquals(2, square.timeExponent(100), 1e-9);
    assertEquals(1, line.memoryExponent(100), 1e-9);
    assertEquals(1000, line.overtakes(square), 1);
    assertTrue(Double.isNaN(square.overtakes(line)));
  }

  private static Cost cost(double exponent, double factor) {
    List<Cost.Point> points = new ArrayList<>();
    for (int size : new int[] {100, 300, 900, 2700, 8100}) {
      double value = factor * Math.pow(size, exponent);
      points.add(new Cost.Point(size, value, value));
    }
    return new Cost(points);
  }
}
