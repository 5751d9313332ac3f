package dev.jformer.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.ConfigException;
import dev.jformer.search.SearchSpace.Dimension;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CrossEntropyMethodTest {
  private static final SearchSpace SPACE =
      SearchSpace.of(new Dimension("rate", 1e-4, 1, true, false))
          .with(new Dimension("window", 1, 20, false, true))
          .with(new Dimension("share", -1, 1, false, false));

  /** Best at rate 0.01, window 13, share 0.5. */
  private static double score(Map<String, Double> values) {
    return -Math.pow(Math.log10(values.get("rate")) + 2, 2)
        - Math.pow((values.get("window") - 13) / 10, 2)
        - Math.pow(values.get("share") - 0.5, 2);
  }

  @Test
  void findsBetterValuesThanAsManyRandomTrials() {
    CrossEntropyMethod method = new CrossEntropyMethod();
    int won = 0;
    for (long seed = 1; seed <= 20; seed++) {
      SearchResult found = method.search(SPACE, seed, CrossEntropyMethodTest::score);
      SearchResult drawn = method.random(SPACE, seed, CrossEntropyMethodTest::score);
      assertEquals(60, found.trials().size());
      assertEquals(60, drawn.trials().size());
      won += found.best().score() > drawn.best().score() ? 1 : 0;
    }
    assertTrue(won >= 15, won + " of 20");
  }

  @Test
  void nearsTheOptimum() {
    CrossEntropyMethod method =
        new CrossEntropyMethod().withTrials(400).withRound(40).withFloor(0.002);
    SearchResult.Trial best = method.search(SPACE, 1, CrossEntropyMethodTest::score).best();
    assertEquals(0.01, best.values().get("rate"), 1e-3);
    assertEquals(13, best.values().get("window"));
    assertEquals(0.5, best.values().get("share"), 0.02);
  }

  @Test
  void valuesKeepTheirBoundsAndKinds() {
    for (SearchResult.Trial trial :
        new CrossEntropyMethod().search(SPACE, 5, v -> v.get("window")).trials()) {
      double rate = trial.values().get("rate");
      double window = trial.values().get("window");
      assertTrue(rate >= 1e-4 && rate <= 1, "" + rate);
      assertTrue(window >= 1 && window <= 20 && window == Math.rint(window), "" + window);
    }
  }

  @Test
  void whatHasNoScoreIsWorseThanAll() {
    SearchResult found =
        new CrossEntropyMethod()
            .search(SPACE, 3, v -> v.get("share") < 0 ? Double.NaN : -v.get("share"));
    assertTrue(found.best().values().get("share") >= 0);
    assertTrue(found.best().values().get("share") < 0.1);
    SearchResult none = new CrossEntropyMethod().search(SPACE, 3, v -> Double.NaN);
    assertTrue(Double.isNaN(none.best().score()));
  }

  @Test
  void theCourseNeverFalls() {
    SearchResult found = new CrossEntropyMethod().search(SPACE, 9, CrossEntropyMethodTest::score);
    for (int i = 1; i < 60; i++) {
      assertTrue(found.course().get(i) >= found.course().get(i - 1));
    }
    assertEquals(found.best().score(), found.course().get(59));
  }

  @Test
  void refusesWhatCannotBeSearched() {
    assertThrows(ConfigException.class, () -> new Dimension("x", 1, 1, false, false));
    assertThrows(ConfigException.class, () -> new Dimension("x", 0, 1, true, false));
    assertThrows(ConfigException.class, () -> new Dimension("x", 0, Double.NaN, false, false));
    assertThrows(
        ConfigException.class, () -> SPACE.with(new Dimension("rate", 0, 1, false, false)));
    assertThrows(IllegalArgumentException.class, () -> new CrossEntropyMethod().withSmoothing(0));
    assertThrows(IllegalArgumentException.class, () -> new CrossEntropyMethod().withElite(1));
  }
}
