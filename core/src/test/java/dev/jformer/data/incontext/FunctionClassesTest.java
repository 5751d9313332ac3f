package dev.jformer.data.incontext;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
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

  private static Prompts prompts(FunctionClass functions, int length, int count) {
    return new PromptSource(functions, length, count, 5).training(0);
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

  /** The mean squared error of the last predictions. */
  private static double lastErrors(Prompts prompts, Learner learner, int last) {
    double sum = 0;
    for (int row = 0; row < prompts.count(); row++) {
      Learner.Run run = learner.start(prompts.inputs());
      for (int t = 0; t < prompts.length(); t++) {
        double[] x = prompts.input(row, t);
        double error = run.predict(x) - prompts.output(row, t);
        sum += t < prompts.length() - last ? 0 : error * error;
        run.observe(x, prompts.output(row, t));
      }
    }
    return sum / prompts.count() / last;
  }

  /** Whether one of the functions gives all outputs of a row. */
  private static boolean explained(
      Prompts prompts, int row, List<ToDoubleFunction<double[]>> functions) {
    return functions.stream()
        .anyMatch(
            function -> {
              for (int t = 0; t < prompts.length(); t++) {
                if (function.applyAsDouble(prompts.input(row, t)) != prompts.output(row, t)) {
                  return false;
                }
              }
              return true;
            });
  }

  private static void assertAllExplained(
      FunctionClass functions, List<ToDoubleFunction<double[]>> all) {
    Prompts prompts = prompts(functions, 50, 40);
    for (int row = 0; row < prompts.count(); row++) {
      assertTrue(explained(prompts, row, all), "row " + row);
    }
  }

  /** All numbers of n digits with a base. */
  private static List<int[]> digits(int n, int base) {
    List<int[]> all = new ArrayList<>(List.of(new int[0]));
    for (int i = 0; i < n; i++) {
      List<int[]> longer = new ArrayList<>();
      for (int[] each : all) {
        for (int digit = 0; digit < base; digit++) {
          int[] next = java.util.Arrays.copyOf(each, each.length + 1);
          next[each.length] = digit;
          longer.add(next);
        }
      }
      all = longer;
    }
    return all;
  }

  private static boolean all(int[] wanted, double[] x) {
    for (int i = 0; i < x.length; i++) {
      if (wanted[i] != 0 && x[i] != (wanted[i] == 1 ? 1 : -1)) {
        return false;
      }
    }
    return true;
  }

  private static boolean any(int[] wanted, double[] x) {
    for (int i = 0; i < x.length; i++) {
      if (wanted[i] != 0 && x[i] == (wanted[i] == 1 ? 1 : -1)) {
        return true;
      }
    }
    return false;
  }

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

  @Test
  void votesThresholdsAndProductsAreSuch() {
    List<ToDoubleFunction<double[]>> majorities = new ArrayList<>();
    List<ToDoubleFunction<double[]>> products = new ArrayList<>();
    for (int[] subset : digits(6, 2)) {
      int size = java.util.Arrays.stream(subset).sum();
      if (size == 3) {
        majorities.add(x -> Math.signum(sum(subset, 0, x)));
      }
      if (size == 2) {
        products.add(x -> product(subset, x));
      }
    }
    assertAllExplained(new Majorities(6, 0.5), majorities);
    assertAllExplained(new Parities(6, 2), products);
    List<ToDoubleFunction<double[]>> thresholds = new ArrayList<>();
    for (int[] w : digits(4, 5)) {
      thresholds.add(x -> Math.signum(sum(w, 2, x) - 0.5));
    }
    assertAllExplained(new Thresholds(4, 2), thresholds);
  }

  private static double sum(int[] weights, int less, double[] x) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += (weights[i] - less) * x[i];
    }
    return sum;
  }

  private static double product(int[] subset, double[] x) {
    double product = 1;
    for (int i = 0; i < x.length; i++) {
      product *= subset[i] == 1 ? x[i] : 1;
    }
    return product;
  }

  /** No product is both trained on and evaluated, and both kinds occur. */
  @Test
  void evaluatedProductsAreNotTrainedOn() {
    PromptSource source = new PromptSource(new Parities(6, 2), 60, 60, 1);
    Set<Integer> training = found(source.training(0));
    Set<Integer> heldOut = found(source.heldOut(60));
    assertTrue(training.size() > 3 && heldOut.size() > 3, training + " and " + heldOut);
    heldOut.retainAll(training);
    assertEquals(Set.of(), heldOut);
    assertThrows(
        IllegalArgumentException.class,
        () -> {
          new PromptSource(new Parities(3, 3), 4, 1, 1).training(0);
          new PromptSource(new Parities(3, 3), 4, 1, 1).heldOut(1);
        });
  }

  private static Set<Integer> found(Prompts prompts) {
    List<int[]> subsets = digits(6, 2);
    Set<Integer> found = new HashSet<>();
    for (int row = 0; row < prompts.count(); row++) {
      for (int i = 0; i < subsets.size(); i++) {
        int[] subset = subsets.get(i);
        if (explained(prompts, row, List.of(x -> product(subset, x)))) {
          found.add(i);
        }
      }
    }
    return found;
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

  @Test
  void regressionsAreSolvedWhereTheyCanBe() {
    double linear =
        lastErrors(prompts(new LinearFunctions(4), 9, 50), new LeastSquaresLearner(), 5);
    assertEquals(0, linear, 1e-9);
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
    double square = 0;
    Prompts networks = prompts(new TwoLayerFunctions(4, 50), 20, 400);
    for (float y : networks.y()) {
      square += y * y / networks.y().length;
    }
    assertEquals(4, square, 0.6);
  }

  /** Errors are as large as the Bayes predictor says, and larger for other solvers. */
  @Test
  void theBayesPredictorKnowsItsErrors() {
    NoisyLinearFunctions functions = new NoisyLinearFunctions(3, 0.1, 2);
    Prompts prompts = prompts(functions, 25, 400);
    double ratio = 0;
    double loss = 0;
    double ridge = 0;
    for (int row = 0; row < prompts.count(); row++) {
      Learner.Run bayes = functions.bayes().start(3);
      Learner.Run other = new RidgeLearner(1.05 * 1.05).start(3);
      for (int t = 0; t < prompts.length(); t++) {
        double[] x = prompts.input(row, t);
        double y = prompts.output(row, t);
        double error = Math.pow(y - bayes.predict(x), 2);
        ratio += error / bayes.variance(x) / prompts.y().length;
        loss += (Math.log(bayes.variance(x)) + error / bayes.variance(x)) / 2;
        double variance = other.variance(x);
        ridge += (Math.log(variance) + Math.pow(y - other.predict(x), 2) / variance) / 2;
        bayes.observe(x, y);
        other.observe(x, y);
      }
    }
    assertEquals(1, ratio, 0.05);
    assertTrue(loss < ridge - 0.05 * prompts.y().length, loss + " against " + ridge);
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
