package dev.jformer.data.incontext;

import static dev.jformer.data.incontext.FunctionChecks.all;
import static dev.jformer.data.incontext.FunctionChecks.any;
import static dev.jformer.data.incontext.FunctionChecks.assertAllExplained;
import static dev.jformer.data.incontext.FunctionChecks.digits;
import static dev.jformer.data.incontext.FunctionChecks.explained;
import static dev.jformer.data.incontext.FunctionChecks.lastErrors;
import static dev.jformer.data.incontext.FunctionChecks.prompts;
import static dev.jformer.data.incontext.FunctionChecks.sum;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Each prompt's outputs are those of some function of the class, found by going through all. */
class FunctionClassesTest {
  static Collection<FunctionClass> classes() {
    return Configs.parts(FunctionClass.class).values();
  }

  @ParameterizedTest
  @MethodSource("classes")
  void aBatchDependsOnItsNumberAndTheSeedOnly(FunctionClass functions) {
    PromptSource source = new PromptSource(functions, 30, 4, 3);
    Prompts third = source.training(3);
    source.training(0);
    assertEquals(third, source.training(3));
    assertEquals(third, new PromptSource(functions, 30, 4, 3).training(3));
    assertNotEquals(third, source.training(4));
    assertNotEquals(third, new PromptSource(functions, 30, 4, 4).training(3));
    assertNotEquals(third, source.heldOut(4));
    assertEquals(source.heldOut(2).y()[0], source.heldOut(9).y()[0]);
    for (float value : third.x()) {
      assertTrue(functions.isBoolean() ? Math.abs(value) == 1 : Float.isFinite(value));
    }
    for (float value : third.y()) {
      assertTrue(functions.isBoolean() ? Math.abs(value) == 1 : Float.isFinite(value));
    }
  }

  /** The first solver is better than the last, a control that does not look at inputs. */
  @ParameterizedTest
  @MethodSource("classes")
  void solversBeatControls(FunctionClass functions) {
    Prompts prompts = prompts(functions, 60, 100);
    List<Learner> learners = functions.learners();
    double best = lastErrors(prompts, learners.get(0), 20);
    double control = lastErrors(prompts, learners.get(learners.size() - 1), 20);
    assertTrue(best < 0.8 * control, best + " against " + control);
    Set<String> names = new HashSet<>();
    learners.forEach(learner -> assertTrue(names.add(learner.name()), learner.name()));
  }

  @Test
  void votesAndThresholdsAreSuch() {
    List<ToDoubleFunction<double[]>> majorities = new ArrayList<>();
    for (int[] subset : digits(6, 2)) {
      int size = java.util.Arrays.stream(subset).sum();
      if (size == 3) {
        majorities.add(x -> Math.signum(sum(subset, 0, x)));
      }
    }
    assertAllExplained(new Majorities(6, 0.5), majorities);
    List<ToDoubleFunction<double[]>> thresholds = new ArrayList<>();
    for (int[] w : digits(4, 5)) {
      thresholds.add(x -> Math.signum(sum(w, 2, x) - 0.5));
    }
    assertAllExplained(new Thresholds(4, 2), thresholds);
  }

  /** Equal inputs have equal outputs; both outputs occur, for each of the two forms. */
  @ParameterizedTest
  @EnumSource
  void normalFormsAreFunctions(NormalForms.Form form) {
    Prompts prompts = prompts(new NormalForms(form, 4, 2, 0.5, 0.35), 100, 30);
    double sum = 0;
    for (int row = 0; row < prompts.count(); row++) {
      Map<List<Double>, Double> seen = new HashMap<>();
      for (int t = 0; t < prompts.length(); t++) {
        List<Double> x = java.util.Arrays.stream(prompts.input(row, t)).boxed().toList();
        Double before = seen.put(x, prompts.output(row, t));
        assertTrue(before == null || before == prompts.output(row, t));
        sum += prompts.output(row, t);
      }
      List<ToDoubleFunction<double[]>> all = new ArrayList<>();
      for (int[] first : digits(4, 3)) {
        for (int[] second : digits(4, 3)) {
          all.add(
              form == NormalForms.Form.DNF
                  ? x -> all(first, x) || all(second, x) ? 1 : -1
                  : x -> any(first, x) && any(second, x) ? 1 : -1);
        }
      }
      assertTrue(explained(prompts, row, all), "row " + row);
    }
    assertTrue(Math.abs(sum) < 0.8 * 30 * 100, "labels sum to " + sum);
  }

  @Test
  void regressionsAreSolvedWhereTheyCanBe() {
    double linear =
        lastErrors(prompts(new LinearFunctions(4), 9, 50), new LeastSquaresLearner(), 5);
    assertEquals(0, linear, 1e-9);
    double square = 0;
    Prompts networks = prompts(new TwoLayerFunctions(4, 50), 20, 400);
    for (float y : networks.y()) {
      square += y * y / networks.y().length;
    }
    assertEquals(4, square, 0.6);
  }

  @Test
  void sizesThatCannotBeAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new LinearFunctions(0));
    assertThrows(IllegalArgumentException.class, () -> new SparseLinearFunctions(3, 4));
    assertThrows(IllegalArgumentException.class, () -> new NoisyLinearFunctions(3, 2, 1));
    assertThrows(IllegalArgumentException.class, () -> new Parities(64, 2));
    assertThrows(
        IllegalArgumentException.class, () -> new Conjunctions(4, 1.5, 0, 0.3, false, false));
    var window =
        assertThrows(
            IllegalArgumentException.class, () -> prompts(new SlidingWindowFunctions(), 2, 1));
    assertTrue(window.getMessage().contains("2 examples"), window.getMessage());
    var nearest =
        assertThrows(IllegalArgumentException.class, () -> prompts(new NearestNeighbours(), 10, 1));
    assertTrue(nearest.getMessage().contains("random labels"), nearest.getMessage());
    var unknown =
        assertThrows(
            RuntimeException.class,
            () -> Configs.parse("{\"type\":\"liner\"}", FunctionClass.class));
    assertTrue(unknown.getMessage().contains("linear"), unknown.getMessage());
  }
}
