package dev.jformer.program;

import java.util.Arrays;
import java.util.List;

/**
 * A step of a program: it computes one more variable of each token. Categorical variables and
 * numbers are counted separately, from 0, in the order in which they are made.
 */
public sealed interface Step {
  /** The name of the variable that it computes, an identifier. */
  String name();

  /** Whether the variable is categorical; else it is a number. */
  boolean isCategorical();

  /** Whether it reads a variable. */
  boolean reads(boolean categorical, int variable);

  /** Returns this step reading other variables. */
  Step rewired(Wiring wiring);

  /**
   * Computes the variable of all tokens.
   *
   * @param causal whether a token sees only those before it and itself
   */
  int[] compute(State state, boolean causal);

  /**
   * The variables of a sequence so far.
   *
   * @param categorical by variable and token
   * @param numbers by number and token
   */
  record State(List<int[]> categorical, List<int[]> numbers) {}

  /** New places of variables. */
  interface Wiring {
    /** The place of a variable. */
    int of(boolean categorical, int variable);
  }

  /**
   * A learned variable of the token itself: a code for each token of the program.
   *
   * @param codes by token
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Lookup(String name, int[] codes) implements Step {
    @Override
    public boolean isCategorical() {
      return true;
    }

    @Override
    public boolean reads(boolean categorical, int variable) {
      return categorical && variable == DiscreteProgram.TOKEN;
    }

    @Override
    public Lookup rewired(Wiring wiring) {
      return this;
    }

    @Override
    public int[] compute(State state, boolean causal) {
      int[] results = state.categorical().get(DiscreteProgram.TOKEN).clone();
      Arrays.setAll(results, i -> codes[results[i]]);
      return results;
    }
  }

  /**
   * A categorical head: each token takes the value of the closest token whose key is the one that
   * its query wants; of two as close the left one, itself last; of the first token if there is
   * none.
   *
   * @param query the variable of the token that looks
   * @param key the variable that is looked at
   * @param value the variable that is taken
   * @param wanted for each value of the query the key that it wants
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Select(String name, int query, int key, int value, int[] wanted) implements Step {
    @Override
    public boolean isCategorical() {
      return true;
    }

    @Override
    public boolean reads(boolean categorical, int variable) {
      return categorical && (query == variable || key == variable || value == variable);
    }

    @Override
    public Select rewired(Wiring wiring) {
      return new Select(
          name, wiring.of(true, query), wiring.of(true, key), wiring.of(true, value), wanted);
    }

    @Override
    public int[] compute(State state, boolean causal) {
      int[] queries = state.categorical().get(query);
      int[] keys = state.categorical().get(key);
      int[] values = state.categorical().get(value);
      int[] results = new int[queries.length];
      for (int i = 0; i < results.length; i++) {
        results[i] = values[closest(i, wanted[queries[i]], keys, causal)];
      }
      return results;
    }

    private static int closest(int from, int wanted, int[] keys, boolean causal) {
      for (int distance = 1; distance < keys.length; distance++) {
        int left = from - distance;
        int right = from + distance;
        if (left >= 0 && keys[left] == wanted) {
          return left;
        }
        if (!causal && right < keys.length && keys[right] == wanted) {
          return right;
        }
      }
      return keys[from] == wanted ? from : 0;
    }
  }

  /**
   * A numerical head: the sum of a number over all tokens whose key is the one that the query
   * wants.
   *
   * @param query the variable of the token that looks
   * @param key the variable that is looked at
   * @param value the number that is summed
   * @param wanted for each value of the query the key that it wants
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Count(String name, int query, int key, int value, int[] wanted) implements Step {
    @Override
    public boolean isCategorical() {
      return false;
    }

    @Override
    public boolean reads(boolean categorical, int variable) {
      return categorical ? query == variable || key == variable : value == variable;
    }

    @Override
    public Count rewired(Wiring wiring) {
      return new Count(
          name, wiring.of(true, query), wiring.of(true, key), wiring.of(false, value), wanted);
    }

    @Override
    public int[] compute(State state, boolean causal) {
      int[] queries = state.categorical().get(query);
      int[] keys = state.categorical().get(key);
      int[] values = state.numbers().get(value);
      int[] results = new int[queries.length];
      for (int i = 0; i < results.length; i++) {
        for (int j = 0; j < (causal ? i + 1 : keys.length); j++) {
          results[i] += keys[j] == wanted[queries[i]] ? values[j] : 0;
        }
      }
      return results;
    }
  }

  /**
   * A perceptron of two categorical variables.
   *
   * @param first a variable
   * @param second a variable
   * @param outputs the result for each pair of values
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Table(String name, int first, int second, int[][] outputs) implements Step {
    @Override
    public boolean isCategorical() {
      return true;
    }

    @Override
    public boolean reads(boolean categorical, int variable) {
      return categorical && (first == variable || second == variable);
    }

    @Override
    public Table rewired(Wiring wiring) {
      return new Table(name, wiring.of(true, first), wiring.of(true, second), outputs);
    }

    @Override
    public int[] compute(State state, boolean causal) {
      int[] results = new int[state.categorical().get(first).length];
      int[] rows = state.categorical().get(first);
      int[] columns = state.categorical().get(second);
      Arrays.setAll(results, i -> outputs[rows[i]][columns[i]]);
      return results;
    }
  }

  /**
   * A perceptron of two numbers. A number counts as the largest level that is not above it, or as
   * the lowest level.
   *
   * @param first a number
   * @param second a number
   * @param firstLevels ascending
   * @param secondLevels ascending
   * @param outputs the result for each pair of levels
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record NumberTable(
      String name, int first, int second, int[] firstLevels, int[] secondLevels, int[][] outputs)
      implements Step {
    @Override
    public boolean isCategorical() {
      return true;
    }

    @Override
    public boolean reads(boolean categorical, int variable) {
      return !categorical && (first == variable || second == variable);
    }

    @Override
    public NumberTable rewired(Wiring wiring) {
      return new NumberTable(
          name,
          wiring.of(false, first),
          wiring.of(false, second),
          firstLevels,
          secondLevels,
          outputs);
    }

    @Override
    public int[] compute(State state, boolean causal) {
      int[] rows = state.numbers().get(first);
      int[] columns = state.numbers().get(second);
      int[] results = new int[rows.length];
      Arrays.setAll(
          results, i -> outputs[level(firstLevels, rows[i])][level(secondLevels, columns[i])]);
      return results;
    }

    private static int level(int[] levels, int number) {
      int found = Arrays.binarySearch(levels, number);
      return found >= 0 ? found : Math.max(0, -found - 2);
    }
  }
}
