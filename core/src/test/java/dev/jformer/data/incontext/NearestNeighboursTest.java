package dev.jformer.data.incontext;

import static dev.jformer.data.incontext.FunctionChecks.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Labels of the nearest neighbour. */
class NearestNeighboursTest {
  @Test
  void labelsAreThoseOfTheMostSimilarExample() {
    Prompts prompts = prompts(new NearestNeighbours(9, 5), 40, 20);
    double first = 0;
    for (int row = 0; row < prompts.count(); row++) {
      for (int t = 0; t < prompts.length(); t++) {
        first += t < 5 ? prompts.output(row, t) : 0;
        int best = -1;
        int same = -1;
        for (int s = 0; s < t; s++) {
          int alike = 0;
          for (int i = 0; i < 9; i++) {
            alike += prompts.input(row, s)[i] == prompts.input(row, t)[i] ? 1 : 0;
          }
          if (alike > same) {
            same = alike;
            best = s;
          }
        }
        if (t >= 5) {
          assertEquals(prompts.output(row, best), prompts.output(row, t));
        }
      }
    }
    assertTrue(Math.abs(first) < 40, "random labels sum to " + first + " of 100");
  }
}
