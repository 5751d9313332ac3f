package dev.jformer.data.algorithm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class ProblemMixtureTest {
  private static final int SAMPLES = 300;

  @Test
  void mixturesDrawByTheirShares() {
    ProblemMixture mixture = new ProblemMixture();
    assertEquals(new Expressions(3, 11, true).symbols(), mixture.symbols());
    Map<Integer, Integer> drawn = new TreeMap<>();
    Random random = new Random(2);
    int samples = 20 * SAMPLES;
    for (int i = 0; i < samples; i++) {
      drawn.merge(mixture.draw(random).traits().get("operations"), 1, Integer::sum);
      assertEquals(2, mixture.only(1).draw(random).traits().get("operations"));
    }
    for (int operations = 1; operations <= 3; operations++) {
      double share = (double) drawn.get(operations) / samples;
      assertEquals(operations / 6.0, share, 0.03, operations + " operations");
    }
    ProblemMixture words =
        new ProblemMixture(List.of(new EditDistance(12, 8, true), new EditDistance()), List.of());
    assertEquals(new EditDistance().symbols(), words.symbols());
    assertEquals(words.symbols(), words.only(0).symbols());
  }

  @Test
  void mixturesThatCannotBeAreRefused() {
    List<Problem> two = List.of(new Expressions(), new Expressions(5, 11, true));
    assertThrows(IllegalArgumentException.class, () -> new ProblemMixture(List.of(), List.of()));
    assertThrows(IllegalArgumentException.class, () -> new ProblemMixture(two, List.of(1.0)));
    assertThrows(IllegalArgumentException.class, () -> new ProblemMixture(two, List.of(0.0, 0.0)));
    assertThrows(IllegalArgumentException.class, () -> new ProblemMixture(two, List.of(2.0, -1.0)));
    assertThrows(
        IllegalArgumentException.class,
        () -> new ProblemMixture(List.of(new Expressions(), new EditDistance()), List.of()));
  }
}
