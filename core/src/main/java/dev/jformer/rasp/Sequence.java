package dev.jformer.rasp;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntBinaryOperator;
import java.util.function.IntUnaryOperator;

/**
 * A sequence of integers, one for each token of a text, as an expression of RASP-L (<a
 * href="https://arxiv.org/abs/2310.16028">What Algorithms can Transformers Learn? A Study in Length
 * Generalization</a>). Truth is 1, falsehood 0. Every operation is causal: a place depends on its
 * own token and those before it.
 *
 * <p>Expressions are immutable and can be shared. Positions are not numbers to calculate with, as
 * Transformers cannot do that either: sequences of positions can be compared, passed on by
 * attention and moved by steps of one ({@link #moved}), and {@link #map} and {@link #zip} refuse
 * them.
 */
public final class Sequence {
  /** The name of the operation with its constants: two of one name compute the same. */
  private final String operation;

  private final boolean isPosition;

  /** The number of core operations that this one stands for. */
  private final int cost;

  private final List<Sequence> inputs;
  private final Function<int[][], int[]> rule;

  private Sequence(
      String operation,
      boolean isPosition,
      int cost,
      List<Sequence> inputs,
      Function<int[][], int[]> rule) {
    this.operation = operation;
    this.isPosition = isPosition;
    this.cost = cost;
    this.inputs = inputs;
    this.rule = rule;
  }

  /** The tokens themselves. */
  public static Sequence tokens() {
    return new Sequence("tokens", false, 0, List.of(), given -> given[0]);
  }

  /** The position of each token, from 0. */
  public static Sequence positions() {
    return new Sequence(
        "positions",
        true,
        0,
        List.of(),
        given -> {
          int[] positions = new int[given[0].length];
          Arrays.setAll(positions, i -> i);
          return positions;
        });
  }

  /** The same value everywhere. */
  public static Sequence constant(int value) {
    return new Sequence(
        "constant " + value,
        false,
        0,
        List.of(),
        given -> {
          int[] values = new int[given[0].length];
          Arrays.fill(values, value);
          return values;
        });
  }

  /**
   * Applies a function to each value.
   *
   * @param name of the function with its constants, such as "+ 1"
   * @throws IllegalArgumentException if these are positions
   */
  public Sequence map(String name, IntUnaryOperator function) {
    expectNumbers(name);
    return new Sequence(
        "map " + name,
        false,
        1,
        List.of(this),
        given -> Arrays.stream(given[0]).map(function).toArray());
  }

  /**
   * Applies a function to each pair of values at the same place.
   *
   * @param name of the function with its constants, such as "+"
   * @throws IllegalArgumentException if these or the others are positions
   */
  public Sequence zip(String name, Sequence other, IntBinaryOperator function) {
    expectNumbers(name);
    other.expectNumbers(name);
    return pairs(name, false, other, function);
  }

  private Sequence pairs(
      String name, boolean isPosition, Sequence other, IntBinaryOperator function) {
    return new Sequence(
        "zip " + name,
        isPosition,
        1,
        List.of(this, other),
        given -> {
          int[] result = new int[given[0].length];
          Arrays.setAll(result, i -> function.applyAsInt(given[0][i], given[1][i]));
          return result;
        });
  }

  /**
   * Compares with other values at the same place: 1 where {@code this MATCH other} holds. Positions
   * are compared with positions.
   */
  public Sequence compare(Match match, Sequence other) {
    expectSame(other);
    return pairs(match.name(), false, other, (a, b) -> match.matches(a, b) ? 1 : 0);
  }

  /**
   * Moves positions, one step at a time.
   *
   * @param steps to later places; negative for earlier ones
   * @throws IllegalArgumentException if these are no positions
   */
  public Sequence moved(int steps) {
    if (!isPosition) {
      throw new IllegalArgumentException("only positions are moved: map the values instead");
    }
    return new Sequence(
        "moved " + steps,
        true,
        Math.abs(steps),
        List.of(this),
        given -> Arrays.stream(given[0]).map(i -> i + steps).toArray());
  }

  /**
   * Chooses between two sequences: {@code yes} where this is not 0. Both are positions or neither.
   */
  public Sequence choose(Sequence yes, Sequence no) {
    expectNumbers("choose");
    yes.expectSame(no);
    return new Sequence(
        "choose",
        yes.isPosition,
        1,
        List.of(this, yes, no),
        given -> {
          int[] result = new int[given[0].length];
          Arrays.setAll(result, i -> given[0][i] != 0 ? given[1][i] : given[2][i]);
          return result;
        });
  }

  /**
   * Attention: each place reduces the values at its own and earlier places whose keys match its
   * query.
   *
   * @param keys compared with queries: positions with positions
   * @param values positions if the result is to be positions
   * @param otherwise the result where nothing matches
   */
  public static Sequence attend(
      Sequence keys,
      Sequence queries,
      Match match,
      Sequence values,
      int otherwise,
      Reduction reduction) {
    keys.expectSame(queries);
    return new Sequence(
        "attend " + match + " " + reduction + " else " + otherwise,
        values.isPosition,
        1,
        List.of(keys, queries, values),
        given -> attend(given, match, otherwise, reduction));
  }

  private static int[] attend(int[][] given, Match match, int otherwise, Reduction reduction) {
    int[] result = new int[given[0].length];
    for (int i = 0; i < result.length; i++) {
      long found = 0;
      int count = 0;
      for (int j = 0; j <= i; j++) {
        if (match.matches(given[0][j], given[1][i])) {
          found = count == 0 ? given[2][j] : reduction.join(found, given[2][j]);
          count++;
        }
      }
      result[i] = count == 0 ? otherwise : reduction.end(found, count);
    }
    return result;
  }

  /** Counts, for each place, the keys at its own and earlier places that match its query. */
  public static Sequence count(Sequence keys, Sequence queries, Match match) {
    keys.expectSame(queries);
    return new Sequence(
        "count " + match,
        false,
        1,
        List.of(keys, queries),
        given -> {
          int[] result = new int[given[0].length];
          for (int i = 0; i < result.length; i++) {
            for (int j = 0; j <= i; j++) {
              result[i] += match.matches(given[0][j], given[1][i]) ? 1 : 0;
            }
          }
          return result;
        });
  }

  private void expectNumbers(String operation) {
    if (isPosition) {
      throw new IllegalArgumentException(
          operation
              + ": RASP-L does not calculate with positions: compare them, attend to them, or move"
              + " them by steps");
    }
  }

  private void expectSame(Sequence other) {
    if (isPosition != other.isPosition) {
      throw new IllegalArgumentException("positions are compared and mixed with positions only");
    }
  }

  /** Whether the values are positions. */
  public boolean isPosition() {
    return isPosition;
  }

  /** Computes the values for a text of tokens. */
  public int[] of(int... tokens) {
    return of(tokens, new IdentityHashMap<>()).clone();
  }

  private int[] of(int[] tokens, Map<Sequence, int[]> known) {
    int[] values = known.get(this);
    if (values == null) {
      int[][] given = new int[Math.max(1, inputs.size())][];
      given[0] = tokens;
      for (int i = 0; i < inputs.size(); i++) {
        given[i] = inputs.get(i).of(tokens, known);
      }
      values = rule.apply(given);
      known.put(this, values);
    }
    return values;
  }

  /**
   * The number of different core operations in this expression: a measure of a program's length. An
   * expression that is used twice counts once; tokens, positions and constants do not count.
   */
  public int operations() {
    Map<List<Object>, Integer> numbers = new HashMap<>();
    Map<Integer, Integer> costs = new HashMap<>();
    number(new IdentityHashMap<>(), numbers, costs);
    return costs.values().stream().mapToInt(Integer::intValue).sum();
  }

  /** Gives equal expressions equal numbers. */
  private int number(
      Map<Sequence, Integer> known,
      Map<List<Object>, Integer> numbers,
      Map<Integer, Integer> costs) {
    Integer number = known.get(this);
    if (number == null) {
      List<Object> key = new ArrayList<>();
      key.add(operation);
      for (Sequence input : inputs) {
        key.add(input.number(known, numbers, costs));
      }
      number = numbers.computeIfAbsent(key, unused -> numbers.size());
      known.put(this, number);
      costs.put(number, cost);
    }
    return number;
  }

  /** The operation, with those of its inputs in brackets. */
  @Override
  public String toString() {
    return inputs.isEmpty() ? operation : operation + " " + inputs;
  }
}
