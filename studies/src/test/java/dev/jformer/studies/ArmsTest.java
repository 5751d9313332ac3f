package dev.jformer.studies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Claim;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.evidence.Verdict;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArmsTest {
  @TempDir private Path folder;

  private final List<String> ran = new ArrayList<>();

  /** A result that is the setting and a bit of its seed. */
  record Found(double loss, long weights) {}

  record Adding(ArmsTest test, double base) implements Trial<Found> {
    @Override
    public Class<Found> kind() {
      return Found.class;
    }

    @Override
    public Found run(Session session) {
      test.ran.add(base + "/" + session.seed());
      session.progress().at(1, "done");
      return new Found(base + 0.01 * session.seed(), Math.round(100 * base));
    }
  }

  private static final Arms<Double> ARMS =
      Arms.of("plain", 2.0).arm("ours", 1.0).control("nothing", 3.0);

  private ExperimentContext lab() {
    return new ExperimentContext(
        Scale.SMOKE, null, new Notebook(folder, "here", "test"), Watcher.NONE);
  }

  private Measured<Found> learned() {
    return ARMS.learn(lab(), "sums", 3, base -> new Adding(this, base));
  }

  @Test
  void runsEachArmWithEachSeedOnce() {
    Measured<Found> first = learned();
    assertEquals(
        List.of("2.0/1", "2.0/2", "2.0/3", "1.0/1", "1.0/2", "1.0/3", "3.0/1", "3.0/2", "3.0/3"),
        ran);
    assertEquals(first, learned());
    assertEquals(9, ran.size(), "what is known is not run again");
    assertTrue(first.arm("nothing").control());
    assertEquals(1.02, first.of("ours", Found::loss).value(), 1e-12);
    assertEquals(
        Verdict.HOLDS,
        Check.below("loss", first.of("ours", Found::loss), first.of("plain", Found::loss))
            .verdict());
    assertEquals(
        1 / 3.0, first.beside("ours", "nothing", (a, b) -> (a.loss() - 0.02) / 3).value(), 1e-9);
  }

  @Test
  void measurementsHaveNamesOfTheirOwnAndSayWhatIsDone() {
    List<String> shown = new ArrayList<>();
    Watcher watcher =
        new Watcher() {
          @Override
          public void begin(String name) {
            shown.add("begin " + name);
          }

          @Override
          public void progress(String name, double done, String detail) {
            shown.add(name + " " + done);
          }
        };
    ExperimentContext lab =
        new ExperimentContext(Scale.SMOKE, null, new Notebook(null, "here", "test"), watcher);
    Measured<Found> all =
        Arms.of("ours", 1.0)
            .measure(
                lab,
                arm -> arm + ", at once",
                Found.class,
                (base, progress) -> {
                  progress.accept(0.5);
                  return new Found(base, 7);
                });
    assertEquals(List.of("begin ours, at once", "ours, at once 0.5"), shown);
    assertEquals(new Found(1, 7), all.first("ours"));
  }

  @Test
  void takesArmsAndTheirPartsOut() {
    Measured<Found> some = learned().only(List.of("nothing", "ours"));
    assertEquals(List.of("nothing", "ours"), some.names());
    assertEquals("ours", some.lowest(Found::loss).name());
    assertEquals("nothing", some.lowest(found -> -found.loss()).name());
    assertTrue(some.arm("nothing").control());
    Measured<Double> parts = some.parts(run -> List.of(run.loss(), -run.loss()));
    assertEquals(List.of("nothing", "nothing", "ours", "ours"), parts.names());
    assertEquals(-3.01, parts.arms().get(1).first(), 1e-12);
    assertTrue(parts.arms().get(1).control());
  }

  @Test
  void makesAColumnOfEachValueOfAList() {
    Table table =
        learned()
            .table(
                "Losses",
                "arm",
                Column.<Found>each(
                    2, i -> "times " + i, found -> List.of(found.loss(), 2 * found.loss())));
    assertEquals(List.of("arm", "times 1", "times 2"), table.columns());
    assertEquals(List.of("ours", "1.020 ± 0.010", "2.040 ± 0.020"), table.rows().get(1));
  }

  @Test
  void makesAColumnOfTheNamesOfArms() {
    Table table = learned().table("Names", "arm", Column.named("letters", String::length));
    assertEquals(List.of("ours", "4"), table.rows().get(1));
  }

  @Test
  void makesTablesAndFigures() {
    Table table =
        learned()
            .table(
                "Losses",
                "arm",
                Column.column("loss", "nats", Found::loss),
                Column.fixed("weights", Found::weights),
                Column.eachSeed("by seed", Found::loss));
    assertEquals(List.of("arm", "loss (nats)", "weights", "by seed"), table.columns());
    assertEquals(
        List.of("ours", "1.020 ± 0.010", "100", "1.010, 1.020, 1.030"), table.rows().get(1));
    Figure figure =
        learned()
            .figure("F", "x", "y", (found, name) -> Figure.Series.point(name, 1, found.loss()));
    assertEquals(
        List.of(2.01, 1.01, 3.01), figure.series().stream().map(s -> s.y().get(0)).toList());
    assertFalse(figure.logX() || figure.logY());
    assertTrue(figure.withLogX().logX() && !figure.withLogX().logY());
  }

  @Test
  void armsAreThePointsOfALine() {
    Figure.Series line = learned().line("sizes", Found::weights, Found::loss);
    assertEquals(List.of(200.0, 100.0, 300.0), line.x());
    assertEquals(1.02, line.y().get(1), 1e-12, "the mean over the seeds");
    assertEquals(List.of(line), Figure.of("F", "weights", "loss", line).series());
  }

  @Test
  void armsAreNamedByValuesAndMapped() {
    Arms<Integer> widths = Arms.named(List.of(64, 16), width -> "width " + width);
    assertEquals(List.of("width 64", "width 16"), List.copyOf(widths.settings().keySet()));
    assertEquals(16, widths.settings().get("width 16"));
    Arms<String> texts = ARMS.with(String::valueOf);
    assertEquals(
        List.of("2.0", "1.0", "3.0"), List.copyOf(texts.settings().values()), "in their order");
    assertEquals(
        "[plain]",
        texts
            .measure(lab(), "", Found.class, text -> new Found(text.length(), 0))
            .table("T", "arm", Column.named("own name", name -> List.of(name)))
            .rows()
            .get(0)
            .get(1));
    assertTrue(
        texts.measure(lab(), "", Found.class, text -> new Found(0, 0)).arm("nothing").control());
  }

  @Test
  void curvesLeaveOutWhatIsNotFinite() {
    Figure.Series line =
        Measured.Curve.<List<Double>, Double>line(values -> values, x -> x, x -> 1 / x)
            .of(List.of(1.0, 0.0, 4.0, Double.NaN), "inverse");
    assertEquals(List.of(1.0, 4.0), line.x());
    assertEquals(List.of(1.0, 0.25), line.y());
  }

  @Test
  void curvesMayShareTheirPositions() {
    Figure.Series line =
        Measured.Curve.<Found>at(List.of(1, 2), run -> List.of(run.loss(), 0.5))
            .of(new Found(1, 7), "loss");
    assertEquals(
        new Figure.Series("loss", List.of(1.0, 2.0), List.of(1.0, 0.5), false, null), line);
  }

  @Test
  void checksAllowMarginsAndMultiples() {
    Measured<Found> all = learned(); // losses of 2.02, 1.02 and 3.02
    assertTrue(all.atMost("loss", "plain", "ours", Found::loss, 1.1).holds());
    assertFalse(all.atMost("loss", "plain", "ours", Found::loss, 0.9).holds());
    assertTrue(all.atLeast("loss", "ours", "plain", Found::loss, 1.1).holds());
    assertFalse(all.atLeast("loss", "ours", "plain", Found::loss, 0.9).holds());
    assertTrue(all.ratioAtMost("loss", "plain", "ours", Found::loss, 2.1).holds());
    assertTrue(
        all.ratioAtMost("loss", "plain", "ours", Found::loss, 2.1)
            .text()
            .startsWith("loss as a multiple of ours's "));
    assertFalse(all.ratioAtMost("loss", "plain", "ours", Found::loss, 1.9).holds());
  }

  @Test
  void valuesStandAtEqualDistances() {
    Figure.Series line = Figure.Series.spaced("losses", 10, 5, List.of(3.0, 2.0, 1.0));
    assertEquals(List.of(10.0, 15.0, 20.0), line.x());
    assertEquals(List.of(3.0, 2.0, 1.0), line.y());
    assertEquals(
        List.of("10", "20"),
        Measured.named(List.of(10.0, 20.0), x -> String.valueOf(x.intValue())).names());
  }

  @Test
  void refusesWhatIsNotThere() {
    assertThrows(IllegalArgumentException.class, () -> ARMS.arm("ours", 1.0));
    assertThrows(IllegalArgumentException.class, () -> ARMS.without("theirs"));
    var error =
        assertThrows(IllegalArgumentException.class, () -> learned().of("other", Found::loss));
    assertTrue(error.getMessage().contains("[plain, ours, nothing]"), error.getMessage());
  }

  /** What one run found of two methods. */
  record Both(Map<String, Found> methods) {}

  @Test
  void armsMayBeMeasuredWithinEachRun() {
    Map<String, Found> first = new LinkedHashMap<>();
    first.put("none", new Found(3, 8));
    first.put("half", new Found(4, 4));
    Both second = new Both(Map.of("half", new Found(4.2, 4), "none", new Found(3.2, 8)));
    Measured<Found> all = Measured.within(List.of(new Both(first), second), Both::methods);
    assertEquals(List.of("none", "half"), all.names());
    assertEquals(4.1, all.of("half", Found::loss).value(), 1e-12);
    assertEquals(2, all.of("half", Found::loss).count());
    assertEquals(List.of("none"), all.without("half").names());
    assertEquals(8, all.map(Found::weights).first("none"));
    assertEquals(4.2, all.all(Found::loss).max().orElseThrow(), 1e-12, "of all runs");
    assertEquals(List.of("half"), all.where(found -> found.weights() < 8).names());
    assertEquals(
        List.of("none", "half", "third"),
        all.and(Measured.of(Map.of("third", new Found(1, 1)))).names());
    assertThrows(IllegalArgumentException.class, () -> all.without("none", "half"));
  }

  @Test
  void armsAreMappedInTheirOrder() {
    Map<String, String> all = ARMS.map((name, base) -> name + " " + base);
    assertEquals(List.of("plain 2.0", "ours 1.0", "nothing 3.0"), List.copyOf(all.values()));
  }

  @Test
  void aSingleRunHasSeedOne() {
    ExperimentContext lab =
        new ExperimentContext(
            Scale.SMOKE, null, new Notebook(folder, "here", "test"), Watcher.NONE);
    assertEquals(1.01, lab.learn("sum", new Adding(this, 1)).loss(), 1e-12);
    assertEquals(List.of("1.0/1"), ran);
  }

  @Test
  void claimsNameTheirControl() {
    ExperimentContext lab =
        new ExperimentContext(
            Scale.SMOKE, null, new Notebook(folder, "here", "test"), Watcher.NONE);
    Check check = Check.below("loss", 1, 2);
    lab.claim("Ours has a lower loss", "1 against 2", "nothing", check);
    lab.claim("Ours has a lower loss too", "1 against 2", "nothing", check, "By chance.");
    List<Claim> claims = lab.evidence("a", "A", "run a").claims();
    assertEquals("nothing", claims.get(0).control());
    assertEquals("", claims.get(0).remark());
    assertEquals("nothing", claims.get(1).control());
    assertEquals("By chance.", claims.get(1).remark());
  }

  @Test
  void theLargestIsThatOfAllRuns() {
    Measured<Integer> all = Measured.ofRuns(Map.of("a", List.of(1, 5), "b", List.of(3)));
    assertEquals(5, all.largest(value -> value));
  }

  @Test
  void theFrontHasWhatNothingBeats() {
    Measured<List<Double>> all =
        Measured.of(
            Map.of(
                "cheap", List.of(1.0, 5.0), "good", List.of(3.0, 1.0), "bad", List.of(3.0, 5.0)));
    assertEquals(
        Set.of("cheap", "good"), Set.copyOf(all.front(v -> v.get(0), v -> v.get(1)).names()));
  }
}
