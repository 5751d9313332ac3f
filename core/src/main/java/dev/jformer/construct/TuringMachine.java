package dev.jformer.construct;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * A Turing machine with one tape, which is endless on both sides: by its state and the symbol under
 * its head it changes its state, writes a symbol and moves by -1, 0 or 1. The word stands in cells
 * 1 to n; the head begins on the blank cell after it.
 *
 * @param states number of states; it begins in state 0
 * @param symbols number of symbols; 0 is the blank
 * @param next the next state by state and symbol; {@code states} accepts, {@code states + 1}
 *     rejects
 * @param written the symbol that is written, likewise
 * @param moves by how many cells the head moves then, likewise
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record TuringMachine(int states, int symbols, int[][] next, int[][] written, int[][] moves) {
  /** Checks the tables. */
  public TuringMachine {
    if (states < 1 || symbols < 1) {
      throw new IllegalArgumentException(
          "a machine of "
              + states
              + " states and "
              + symbols
              + " symbols: expected at least one of each");
    }
    check("the next state", next, states, symbols, 0, states + 1);
    check("the written symbol", written, states, symbols, 0, symbols - 1);
    check("the move", moves, states, symbols, -1, 1);
  }

  private static void check(
      String name, int[][] table, int states, int symbols, int least, int most) {
    if (table.length != states) {
      throw new IllegalArgumentException(
          name + " is given for " + table.length + " states: expected " + states);
    }
    for (int state = 0; state < states; state++) {
      if (table[state].length != symbols) {
        throw new IllegalArgumentException(
            name
                + " in state "
                + state
                + " is given for "
                + table[state].length
                + " symbols: expected "
                + symbols);
      }
      for (int symbol = 0; symbol < symbols; symbol++) {
        int value = table[state][symbol];
        if (value < least || value > most) {
          throw new IllegalArgumentException(
              name
                  + " in state "
                  + state
                  + " on symbol "
                  + symbol
                  + " is "
                  + value
                  + ": expected "
                  + least
                  + " to "
                  + most);
        }
      }
    }
  }

  /** A machine with random tables, of which one transition in {@code halting} ends the run. */
  public static TuringMachine random(int states, int symbols, int halting, RandomGenerator random) {
    int[][] next = new int[states][symbols];
    int[][] written = new int[states][symbols];
    int[][] moves = new int[states][symbols];
    for (int state = 0; state < states; state++) {
      for (int symbol = 0; symbol < symbols; symbol++) {
        next[state][symbol] =
            random.nextInt(halting) == 0 ? states + random.nextInt(2) : random.nextInt(states);
        written[state][symbol] = random.nextInt(symbols);
        moves[state][symbol] = random.nextInt(3) - 1;
      }
    }
    return new TuringMachine(states, symbols, next, written, moves);
  }

  /**
   * A step.
   *
   * @param state after it; beyond the last one, the first number means that it has accepted, the
   *     next that it has rejected
   * @param written the symbol that it wrote
   * @param move by how many cells the head moved
   * @param cell on which it wrote
   */
  public record Step(int state, int written, int move, int cell) {}

  /**
   * Reads a word.
   *
   * @param most the most steps, if the machine does not halt before
   * @throws IllegalArgumentException if a symbol is unknown
   */
  public List<Step> run(int[] word, int most) {
    Map<Integer, Integer> tape = new HashMap<>();
    for (int i = 0; i < word.length; i++) {
      tape.put(i + 1, known(word[i]));
    }
    List<Step> steps = new ArrayList<>();
    int state = 0;
    int cell = word.length + 1;
    while (state < states && steps.size() < most) {
      int symbol = tape.getOrDefault(cell, 0);
      Step step = new Step(next[state][symbol], written[state][symbol], moves[state][symbol], cell);
      tape.put(cell, step.written());
      steps.add(step);
      cell += step.move();
      state = step.state();
    }
    return steps;
  }

  int known(int symbol) {
    if (symbol < 0 || symbol >= symbols) {
      throw new IllegalArgumentException(
          "the symbol " + symbol + " is unknown: expected 0 to " + (symbols - 1));
    }
    return symbol;
  }
}
