package dev.jformer.studies.algorithmic;

import dev.jformer.construct.TuringMachine;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Turing machines that compute something known. Their tables are written as lines "state symbol:
 * state symbol move"; of states, Y accepts and N rejects; of moves, L is -1, R is 1 and S is 0.
 */
enum TuringTask {
  /** Counts in binary from the number that stands on the tape, without an end. Digits are 1, 2. */
  COUNTING(
      "binary counting",
      List.of(
          "0 0: 1 0 L",
          "0 1: 1 1 L",
          "0 2: 1 2 L",
          "1 2: 1 1 L",
          "1 1: 2 2 R",
          "1 0: 2 2 R",
          "2 1: 2 1 R",
          "2 2: 2 2 R",
          "2 0: 1 0 L")) {
    @Override
    int[] word(int length, SplittableRandom random) {
      return random.ints(length, 1, 3).toArray();
    }
  },
  /** Compares the last symbol with the first one, and takes both off, until there are none. */
  PALINDROMES(
      "palindromes",
      List.of(
          "0 0: 1 0 L",
          "0 1: N 1 S",
          "0 2: N 2 S",
          "1 0: Y 0 S",
          "1 1: 2 0 L",
          "1 2: 3 0 L",
          "2 0: 4 0 R",
          "2 1: 2 1 L",
          "2 2: 2 2 L",
          "3 0: 5 0 R",
          "3 1: 3 1 L",
          "3 2: 3 2 L",
          "4 0: Y 0 S",
          "4 1: 6 0 R",
          "4 2: N 2 S",
          "5 0: Y 0 S",
          "5 1: N 1 S",
          "5 2: 6 0 R",
          "6 1: 6 1 R",
          "6 2: 6 2 R",
          "6 0: 1 0 L")) {
    /** Half of the words are palindromes; the others are palindromes but for one symbol. */
    @Override
    int[] word(int length, SplittableRandom random) {
      int[] word = random.ints(length, 1, 3).toArray();
      for (int i = 0; i < length; i++) {
        word[length - 1 - i] = word[i];
      }
      if (random.nextBoolean() && length > 1) {
        int place = random.nextInt(length / 2);
        word[place] = 3 - word[place];
      }
      return word;
    }

    @Override
    Boolean answer(int... word) {
      boolean same = true;
      for (int i = 0; i < word.length; i++) {
        same &= word[i] == word[word.length - 1 - i];
      }
      return same;
    }
  },
  /** Adds in unary: of 1s, a 2 for plus, and 1s, the last is taken off and the 2 made a 1. */
  ADDITION(
      "unary addition",
      List.of(
          "0 0: 1 0 L",
          "0 1: N 1 S",
          "0 2: N 2 S",
          "1 0: N 0 S",
          "1 1: 2 0 L",
          "1 2: Y 0 S",
          "2 0: N 0 S",
          "2 1: 2 1 L",
          "2 2: 3 1 S",
          "3 0: Y 0 S",
          "3 1: Y 1 S",
          "3 2: Y 2 S")) {
    @Override
    int[] word(int length, SplittableRandom random) {
      int[] word = new int[length];
      Arrays.fill(word, 1);
      word[random.nextInt(length)] = 2;
      return word;
    }

    @Override
    Boolean answer(int... word) {
      return true;
    }
  },
  /** The busy beaver of four states and two symbols, which halts at step 107 (Brady, 1983). */
  BEAVER(
      "busy beaver of four states",
      List.of(
          "0 0: 1 1 R",
          "0 1: 1 1 L",
          "1 0: 0 1 L",
          "1 1: 2 0 L",
          "2 0: Y 1 R",
          "2 1: 3 1 L",
          "3 0: 3 1 R",
          "3 1: 0 0 R")) {
    /** The empty word: whether the machine halts on others is not known. */
    @Override
    int[] word(int length, SplittableRandom random) {
      return new int[0];
    }

    @Override
    Boolean answer(int... word) {
      return true;
    }
  };

  private final String title;
  private final TuringMachine machine;

  TuringTask(String title, List<String> table) {
    this.title = title;
    this.machine = parse(table);
  }

  /** What it is, in words. */
  String title() {
    return title;
  }

  TuringMachine machine() {
    return machine;
  }

  /** Draws a word; of symbols from 1 on. */
  abstract int[] word(int length, SplittableRandom random);

  /** Whether the machine accepts a word; null if it does not halt. */
  Boolean answer(int... word) {
    return null;
  }

  private static TuringMachine parse(List<String> table) {
    int symbols = 0;
    int states = 0;
    for (String line : table) {
      states = Math.max(states, line.charAt(0) - '0' + 1);
      symbols = Math.max(symbols, line.charAt(2) - '0' + 1);
    }
    int[][] next = new int[states][symbols];
    int[][] written = new int[states][symbols];
    int[][] moves = new int[states][symbols];
    for (String line : table) {
      int state = line.charAt(0) - '0';
      int symbol = line.charAt(2) - '0';
      char to = line.charAt(5);
      next[state][symbol] = to == 'Y' ? states : to == 'N' ? states + 1 : to - '0';
      written[state][symbol] = line.charAt(7) - '0';
      moves[state][symbol] = "LSR".indexOf(line.charAt(9)) - 1;
    }
    return new TuringMachine(states, symbols, next, written, moves);
  }
}
