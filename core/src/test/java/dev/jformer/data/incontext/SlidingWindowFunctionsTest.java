package dev.jformer.data.incontext;

import static dev.jformer.data.incontext.FunctionChecks.lastErrors;
import static dev.jformer.data.incontext.FunctionChecks.prompts;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Functions of sliding windows, with and without random outputs. */
class SlidingWindowFunctionsTest {
  @Test
  void windowsAreSolvedAndRandomOutputsAreNot() {
    SlidingWindowFunctions windows = new SlidingWindowFunctions(2, 3, false, 0);
    Learner solver = new WindowLearner(new LeastSquaresLearner(), 3);
    assertEquals(0, lastErrors(prompts(windows, 16, 50), solver, 5), 1e-9);
    SlidingWindowFunctions replaced = new SlidingWindowFunctions(2, 3, false, 1);
    assertTrue(
        lastErrors(prompts(replaced, 40, 100), solver, 5) > 1.5, "random labels say nothing");
    SlidingWindowFunctions half = new SlidingWindowFunctions(2, 3, false, 0.5);
    Prompts clean = prompts(windows, 40, 100);
    Prompts mixed = prompts(half, 40, 100);
    int same = 0;
    for (int i = 0; i < clean.y().length; i++) {
      same += clean.y()[i] == mixed.y()[i] ? 1 : 0;
    }
    assertArrayEquals(clean.x(), mixed.x());
    assertEquals(0.5, same / 4000.0, 0.05, "the share of outputs that are replaced");
    Prompts bounded = prompts(new SlidingWindowFunctions(2, 3, true, 0), 16, 50);
    for (float y : bounded.y()) {
      assertTrue(Math.abs(y) <= 1);
    }
  }
}
