package dev.jformer.data.incontext;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** Enumerations of functions, to check which one gave the outputs of a prompt. */
final class FunctionChecks {
  private FunctionChecks() {}

  static Prompts prompts(FunctionClass functions, int length, int count) {
    return new PromptSource(functions, length, count, 5).training(0);
  }

  /** The mean squared error of the last predictions. */
  static double lastErrors(Prompts prompts, Learner learner, int last) {
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
  static boolean explained(Prompts prompts, int row, List<ToDoubleFunction<double[]>> functions) {
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

  static void assertAllExplained(FunctionClass functions, List<ToDoubleFunction<double[]>> all) {
    Prompts prompts = prompts(functions, 50, 40);
    for (int row = 0; row < prompts.count(); row++) {
      assertTrue(explained(prompts, row, all), "row " + row);
    }
  }

  /** All numbers of n digits with a base. */
  static List<int[]> digits(int n, int base) {
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

  static boolean all(int[] wanted, double[] x) {
    for (int i = 0; i < x.length; i++) {
      if (wanted[i] != 0 && x[i] != (wanted[i] == 1 ? 1 : -1)) {
        return false;
      }
    }
    return true;
  }

  static boolean any(int[] wanted, double[] x) {
    for (int i = 0; i < x.length; i++) {
      if (wanted[i] != 0 && x[i] == (wanted[i] == 1 ? 1 : -1)) {
        return true;
      }
    }
    return false;
  }

  static double sum(int[] weights, int less, double[] x) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += (weights[i] - less) * x[i];
    }
    return sum;
  }

  static double product(int[] subset, double[] x) {
    double product = 1;
    for (int i = 0; i < x.length; i++) {
      product *= subset[i] == 1 ? x[i] : 1;
    }
    return product;
  }
}
