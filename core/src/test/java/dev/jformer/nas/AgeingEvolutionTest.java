package dev.jformer.nas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class AgeingEvolutionTest {
  private static ConfigurationSpace space(int fields, int values) {
    Map<String, List<String>> choices = new LinkedHashMap<>();
    for (int f = 0; f < fields; f++) {
      List<String> each = new ArrayList<>();
      for (int v = 0; v < values; v++) {
        each.add("" + v);
      }
      choices.put("f" + f, each);
    }
    return new ConfigurationSpace(choices);
  }

  private static double sum(Map<String, String> chosen) {
    return chosen.values().stream().mapToInt(Integer::parseInt).sum();
  }

  /** Evolution finds the best of 16 million in a thousand tries, random draws do not. */
  @Test
  void climbsBeyondRandomSearch() {
    ConfigurationSpace space = space(12, 4);
    assertEquals(16_777_216, space.size());
    var found =
        new AgeingEvolution(1000, 50, 12, 3).search(space, AgeingEvolutionTest::sum, done -> {});
    assertEquals(36, found.get(0).score());
    SplittableRandom random = new SplittableRandom(3);
    double best = 0;
    for (int i = 0; i < 1000; i++) {
      best = Math.max(best, sum(space.draw(random)));
    }
    assertTrue(best < 34, "" + best);
  }

  @Test
  void aSeedDecidesAllDraws() {
    ConfigurationSpace space = space(5, 3);
    var settings = new AgeingEvolution(60, 10, 3, 7);
    assertEquals(
        settings.search(space, AgeingEvolutionTest::sum, done -> {}),
        settings.search(space, AgeingEvolutionTest::sum, done -> {}));
  }

  @Test
  void scoresEachConfigurationOnceAndSortsThem() {
    Set<Map<String, String>> seen = new HashSet<>();
    List<Integer> progress = new ArrayList<>();
    var found =
        new AgeingEvolution(40, 5, 2, 1)
            .search(
                space(2, 3),
                chosen -> {
                  assertTrue(seen.add(chosen), "scored twice: " + chosen);
                  return sum(chosen) == 4 ? Double.NaN : sum(chosen);
                },
                progress::add);
    assertEquals(seen.size(), found.size());
    assertTrue(found.size() <= 9);
    assertEquals(40, progress.size());
    for (int i = 1; i < found.size(); i++) {
      assertTrue(found.get(i - 1).score() >= found.get(i).score());
    }
    var refused = found.stream().filter(s -> sum(s.chosen()) == 4).findFirst();
    refused.ifPresent(s -> assertEquals(Double.NEGATIVE_INFINITY, s.score()));
  }

  @Test
  void aMutationChangesOneField() {
    ConfigurationSpace space = space(4, 3);
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 100; i++) {
      Map<String, String> parent = space.draw(random);
      Map<String, String> child = space.mutated(parent, random);
      long changed =
          parent.keySet().stream().filter(f -> !parent.get(f).equals(child.get(f))).count();
      assertEquals(1, changed);
      assertEquals(parent.keySet(), child.keySet());
    }
  }

  @Test
  void refusesEmptySpacesAndPopulations() {
    assertThrows(IllegalArgumentException.class, () -> space(3, 1));
    assertThrows(
        IllegalArgumentException.class, () -> new ConfigurationSpace(Map.of("a", List.of())));
    assertThrows(IllegalArgumentException.class, () -> new AgeingEvolution(10, 1, 1, 1));
    assertThrows(IllegalArgumentException.class, () -> new AgeingEvolution(10, 4, 5, 1));
  }
}
