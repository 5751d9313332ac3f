package dev.jformer.construct;

import java.util.random.RandomGenerator;

/**
 * A counter machine: it reads a word symbol by symbol, changes its state, and adds -1, 0 or 1 to
 * each of its counters, by the symbol, the state, and which counters are zero. Without counters it
 * is a finite automaton. It accepts by its last state and which counters are zero then.
 *
 * @param states number of states; it begins in state 0 with counters at 0
 * @param symbols number of symbols
 * @param counters number of counters, at most 4
 * @param next the next state by state, symbol and mask; bit k of a mask is set if counter k is not
 *     zero
 * @param steps what is added to each counter, by state, symbol and mask
 * @param accepting whether it accepts, by state and mask
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record CounterMachine(
    int states,
    int symbols,
    int counters,
    int[][][] next,
    int[][][][] steps,
    boolean[][] accepting) {
  private static final int MOST_COUNTERS = 4;

  /** Checks the tables. */
  public CounterMachine {
    if (states < 1 || symbols < 1 || counters < 0 || counters > MOST_COUNTERS) {
      throw new IllegalArgumentException(
          "a machine of "
              + states
              + " states, "
              + symbols
              + " symbols and "
              + counters
              + " counters: expected at least one state and symbol, and 0 to "
              + MOST_COUNTERS
              + " counters");
    }
    for (int state = 0; state < states; state++) {
      for (int symbol = 0; symbol < symbols; symbol++) {
        for (int mask = 0; mask < 1 << counters; mask++) {
          int to = next[state][symbol][mask];
          if (to < 0 || to >= states) {
            throw new IllegalArgumentException(
                "the state after state "
                    + state
                    + " and symbol "
                    + symbol
                    + " is "
                    + to
                    + ": expected 0 to "
                    + (states - 1));
          }
          for (int step : steps[state][symbol][mask]) {
            if (step < -1 || step > 1) {
              throw new IllegalArgumentException(
                  "a counter changes by " + step + " at once: expected -1, 0 or 1");
            }
          }
        }
      }
    }
  }

  /** A finite automaton. */
  public static CounterMachine automaton(int[][] next, boolean... accepting) {
    int[][][] tables = new int[next.length][next[0].length][1];
    boolean[][] accepted = new boolean[next.length][1];
    for (int state = 0; state < next.length; state++) {
      accepted[state][0] = accepting[state];
      for (int symbol = 0; symbol < next[0].length; symbol++) {
        tables[state][symbol][0] = next[state][symbol];
      }
    }
    return new CounterMachine(
        next.length,
        next[0].length,
        0,
        tables,
        new int[next.length][next[0].length][1][0],
        accepted);
  }

  /** A machine with random tables. */
  public static CounterMachine random(
      int states, int symbols, int counters, RandomGenerator random) {
    int masks = 1 << counters;
    int[][][] next = new int[states][symbols][masks];
    int[][][][] steps = new int[states][symbols][masks][counters];
    boolean[][] accepting = new boolean[states][masks];
    for (int state = 0; state < states; state++) {
      for (int mask = 0; mask < masks; mask++) {
        accepting[state][mask] = random.nextBoolean();
        for (int symbol = 0; symbol < symbols; symbol++) {
          next[state][symbol][mask] = random.nextInt(states);
          for (int counter = 0; counter < counters; counter++) {
            steps[state][symbol][mask][counter] = random.nextInt(3) - 1;
          }
        }
      }
    }
    return new CounterMachine(states, symbols, counters, next, steps, accepting);
  }

  /** A machine at some place of a word. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Configuration(int state, int[] counters) {
    int mask() {
      int mask = 0;
      for (int k = 0; k < counters.length; k++) {
        mask |= counters[k] == 0 ? 0 : 1 << k;
      }
      return mask;
    }
  }

  /**
   * Reads a word.
   *
   * @return the state after each symbol
   */
  public int[] run(int... word) {
    int[] seen = new int[word.length];
    Configuration now = new Configuration(0, new int[counters]);
    for (int i = 0; i < word.length; i++) {
      now = after(now, word[i]);
      seen[i] = now.state();
    }
    return seen;
  }

  /** Whether it accepts a word. */
  public boolean accepts(int... word) {
    Configuration now = new Configuration(0, new int[counters]);
    for (int symbol : word) {
      now = after(now, symbol);
    }
    return accepting[now.state()][now.mask()];
  }

  private Configuration after(Configuration now, int symbol) {
    int[] changed = now.counters().clone();
    int[] change = steps[now.state()][symbol][now.mask()];
    for (int k = 0; k < changed.length; k++) {
      changed[k] += change[k];
    }
    return new Configuration(next[now.state()][symbol][now.mask()], changed);
  }
}
