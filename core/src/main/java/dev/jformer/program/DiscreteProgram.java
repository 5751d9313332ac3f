package dev.jformer.program;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A program that labels the tokens of a sequence. It begins with two categorical variables of each
 * token, the token itself and its position, and the number 1; each step adds a variable. At the end
 * each value of each variable has a score for each label, and the label with the highest sum is
 * given, the first of equals.
 *
 * @param name of the class that it is written as, an identifier
 * @param tokens the tokens that it knows; a token's code is its place
 * @param labels the labels
 * @param length the most tokens of a sequence
 * @param values number of different values of a categorical variable; codes are below it
 * @param causal whether a token sees only those before it and itself
 * @param steps in order
 * @param scores the scores of variables
 */
public record DiscreteProgram(
    String name,
    List<String> tokens,
    List<String> labels,
    int length,
    int values,
    boolean causal,
    List<Step> steps,
    Scores scores) {

  /**
   * The scores of labels.
   *
   * @param bias what each label has from the beginning
   * @param categorical by categorical variable, value and label; null for variables without scores
   * @param numbers by number and label: what each unit of the number counts; null for numbers
   *     without scores
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Scores(double[] bias, double[][][] categorical, double[][] numbers) {}

  /** The variables of the inputs. */
  static final int TOKEN = 0;

  static final int POSITION = 1;

  /** Copies the lists. */
  public DiscreteProgram {
    tokens = List.copyOf(tokens);
    labels = List.copyOf(labels);
    steps = List.copyOf(steps);
  }

  /**
   * Labels a sequence.
   *
   * @throws IllegalArgumentException if a token is unknown, or there are none or too many
   */
  public List<String> run(List<String> sequence) {
    Map<String, Integer> codes = new HashMap<>();
    tokens.forEach(token -> codes.put(token, codes.size()));
    int[] ids = new int[sequence.size()];
    for (int i = 0; i < ids.length; i++) {
      Integer code = codes.get(sequence.get(i));
      if (code == null) {
        throw new IllegalArgumentException(
            "'" + sequence.get(i) + "' is no token of the program: there are " + tokens);
      }
      ids[i] = code;
    }
    return Arrays.stream(run(ids)).mapToObj(labels::get).toList();
  }

  /**
   * Labels a sequence of codes.
   *
   * @return a place in {@link #labels} for each token
   * @throws IllegalArgumentException as {@link #run(List)}
   */
  public int[] run(int... sequence) {
    Step.State state = compute(sequence);
    int[] best = new int[sequence.length];
    for (int i = 0; i < best.length; i++) {
      double[] sums = sums(state, i);
      for (int label = 1; label < sums.length; label++) {
        best[i] = sums[label] > sums[best[i]] ? label : best[i];
      }
    }
    return best;
  }

  private double[] sums(Step.State state, int token) {
    double[] sums = scores.bias().clone();
    for (int v = 0; v < state.categorical().size(); v++) {
      if (scores.categorical()[v] != null) {
        add(sums, scores.categorical()[v][state.categorical().get(v)[token]], 1);
      }
    }
    for (int n = 0; n < state.numbers().size(); n++) {
      if (scores.numbers()[n] != null) {
        add(sums, scores.numbers()[n], state.numbers().get(n)[token]);
      }
    }
    return sums;
  }

  private static void add(double[] sums, double[] more, int times) {
    for (int label = 0; label < sums.length; label++) {
      sums[label] += times * more[label];
    }
  }

  /** Computes the variables of a sequence of codes. */
  public Step.State compute(int... sequence) {
    if (sequence.length < 1 || sequence.length > length) {
      throw new IllegalArgumentException(
          sequence.length + " tokens: expected 1 to " + length + ", the longest of the training");
    }
    for (int code : sequence) {
      if (code < 0 || code >= tokens.size()) {
        throw new IllegalArgumentException(
            "the code " + code + " is no token: expected 0 to " + (tokens.size() - 1));
      }
    }
    Step.State state = new Step.State(new ArrayList<>(), new ArrayList<>());
    state.categorical().add(sequence.clone());
    int[] positions = new int[sequence.length];
    Arrays.setAll(positions, i -> i);
    state.categorical().add(positions);
    int[] ones = new int[sequence.length];
    Arrays.fill(ones, 1);
    state.numbers().add(ones);
    for (Step step : steps) {
      List<int[]> variables = step.isCategorical() ? state.categorical() : state.numbers();
      variables.add(step.compute(state, causal));
    }
    return state;
  }

  /** Returns this program under another name. */
  public DiscreteProgram named(String other) {
    return new DiscreteProgram(other, tokens, labels, length, values, causal, steps, scores);
  }
}
