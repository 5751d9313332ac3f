package dev.jformer.data.incontext;

import static dev.jformer.data.incontext.FunctionChecks.all;
import static dev.jformer.data.incontext.FunctionChecks.any;
import static dev.jformer.data.incontext.FunctionChecks.assertAllExplained;
import static dev.jformer.data.incontext.FunctionChecks.digits;
import static dev.jformer.data.incontext.FunctionChecks.prompts;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;

/** Conjunctions and disjunctions, and their teaching sequences. */
class ConjunctionsTest {
  @Test
  void conjunctionsAndDisjunctionsAreSuch() {
    List<ToDoubleFunction<double[]>> conjunctions = new ArrayList<>();
    List<ToDoubleFunction<double[]>> disjunctions = new ArrayList<>();
    for (int[] wanted : digits(5, 3)) {
      conjunctions.add(x -> all(wanted, x) ? 1 : -1);
      disjunctions.add(x -> any(wanted, x) ? 1 : -1);
    }
    assertAllExplained(new Conjunctions(5, 0.4, 0, 0.3, false, false), conjunctions);
    assertAllExplained(new Conjunctions(5, 0.4, 2, 0.3, true, true), conjunctions);
    assertAllExplained(new Disjunctions(5, 0.4, 0, 0.3, false, false), disjunctions);
    assertAllExplained(new Disjunctions(5, 0.4, 3, 0.3, true, true), disjunctions);
  }

  /**
   * After a teaching sequence one monotone function is left; after fewer examples there are more.
   */
  @Test
  void teachingSequencesTeach() {
    for (FunctionClass functions :
        List.of(
            new Conjunctions(6, 0.4, 0, 0.3, true, true),
            new Disjunctions(6, 0.4, 0, 0.3, true, true))) {
      boolean and = functions instanceof Conjunctions;
      Prompts prompts = prompts(functions, 12, 50);
      for (int row = 0; row < prompts.count(); row++) {
        List<int[]> left = new ArrayList<>(digits(6, 2));
        left.removeIf(each -> java.util.Arrays.stream(each).sum() == 0);
        int needed = 0;
        while (left.size() > 1) {
          double[] x = prompts.input(row, needed);
          double y = prompts.output(row, needed);
          left.removeIf(each -> ((and ? all(each, x) : any(each, x)) ? 1 : -1) != y);
          needed++;
        }
        int relevant = java.util.Arrays.stream(left.get(0)).sum();
        assertTrue(needed <= relevant + 1, needed + " examples for " + relevant + " inputs");
        for (int t = 0; t < prompts.length(); t++) {
          double[] x = prompts.input(row, t);
          boolean holds = and ? all(left.get(0), x) : any(left.get(0), x);
          assertEquals(holds ? 1 : -1, prompts.output(row, t));
        }
      }
    }
  }
}
