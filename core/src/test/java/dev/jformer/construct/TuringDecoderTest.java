package dev.jformer.construct;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class TuringDecoderTest {
  private static final int ACCEPT = 7;
  private static final int REJECT = 8;

  /** Compares the decoder with the machine, up to where the machine halts or leaves the cells. */
  private static int assertSimulates(TuringMachine machine, int cells, int most, int... word) {
    List<TuringMachine.Step> right = machine.run(word, most);
    int within = 0;
    while (within < right.size()
        && Math.abs(right.get(within).cell() + right.get(within).move()) <= cells) {
      within++;
    }
    boolean halts = within > 0 && right.get(within - 1).state() >= machine.states();
    if (within == 0) {
      return 0;
    }
    TuringDecoder.Trace trace = new TuringDecoder(machine, cells).run(word, within);
    assertEquals(right.subList(0, halts ? within - 1 : within), trace.steps());
    if (halts) {
      assertEquals(right.get(within - 1).state() == machine.states(), trace.answer());
    } else {
      assertNull(trace.answer());
    }
    return within;
  }

  @Test
  void simulatesRandomMachines() {
    SplittableRandom random = new SplittableRandom(5);
    int longRuns = 0;
    for (int i = 0; i < 300; i++) {
      int symbols = 2 + random.nextInt(3);
      TuringMachine machine =
          TuringMachine.random(1 + random.nextInt(6), symbols, i % 3 == 0 ? 5 : 40, random);
      int[] word = random.ints(random.nextInt(14), 0, symbols).toArray();
      longRuns += assertSimulates(machine, 30, 200, word) > 65 ? 1 : 0;
    }
    assertTrue(longRuns > 20, longRuns + " long runs");
  }

  /**
   * Palindromes of the symbols 1 and 2: takes the last symbol off, walks to the first one,
   * compares, takes it off and walks back.
   */
  private static TuringMachine palindromes() {
    int[][] next = new int[7][3];
    int[][] written = new int[7][3];
    int[][] moves = new int[7][3];
    // 0: on the blank after the word. 1: at its last symbol.
    set(next, written, moves, 0, 0, 1, 0, -1);
    set(next, written, moves, 0, 1, REJECT, 1, 0);
    set(next, written, moves, 0, 2, REJECT, 2, 0);
    set(next, written, moves, 1, 0, ACCEPT, 0, 0);
    for (int taken = 1; taken <= 2; taken++) {
      int walk = 1 + taken;
      int compare = 3 + taken;
      int other = 3 - taken;
      set(next, written, moves, 1, taken, walk, 0, -1);
      set(next, written, moves, walk, 0, compare, 0, 1);
      set(next, written, moves, walk, 1, walk, 1, -1);
      set(next, written, moves, walk, 2, walk, 2, -1);
      set(next, written, moves, compare, 0, ACCEPT, 0, 0); // it was the middle one
      set(next, written, moves, compare, taken, 6, 0, 1);
      set(next, written, moves, compare, other, REJECT, other, 0);
      set(next, written, moves, 6, taken, 6, taken, 1);
    }
    set(next, written, moves, 6, 0, 1, 0, -1);
    return new TuringMachine(7, 3, next, written, moves);
  }

  @Test
  void recognisesPalindromes() {
    SplittableRandom random = new SplittableRandom(6);
    TuringDecoder decoder = new TuringDecoder(palindromes(), 40);
    int palindromes = 0;
    for (int length : new int[] {0, 1, 2, 3, 4, 5, 8, 16, 17}) {
      for (int round = 0; round < 6; round++) {
        int[] word = random.ints(length, 1, 3).toArray();
        for (int i = 0; i < length && round < 4; i++) {
          word[length - 1 - i] =
              word[i]; // four in six are palindromes, one of them but for a letter
        }
        if (round == 3 && length > 1) {
          word[0] = 3 - word[length - 1];
        }
        boolean expected = true;
        for (int i = 0; i < length; i++) {
          expected &= word[i] == word[length - 1 - i];
        }
        assertEquals(expected, decoder.run(word, 1000).answer(), Arrays.toString(word));
        palindromes += expected ? 1 : 0;
      }
    }
    assertTrue(palindromes > 20 && palindromes < 50, palindromes + " palindromes");
  }

  /** Sweeps over a growing part of the tape, whose symbols it exchanges each time. */
  private static TuringMachine sweeper() {
    int[][] next = {{1, 0, 0}, {0, 1, 1}};
    int[][] written = {{1, 2, 1}, {2, 2, 1}};
    int[][] moves = {{-1, 1, 1}, {1, -1, -1}};
    return new TuringMachine(2, 3, next, written, moves);
  }

  @Test
  void isRightAtTheEdgeOfPrecision() {
    for (int cells : new int[] {5, 60, 100, 150}) {
      TuringDecoder decoder = new TuringDecoder(sweeper(), cells);
      int length = cells * 9 / 10;
      int[] word = new SplittableRandom(cells).ints(length, 1, 3).toArray();
      int most = Math.min(1500, decoder.longest() - length - 2);
      assertTrue(most > 100, cells + " cells: " + most + " steps");
      assertTrue(assertSimulates(sweeper(), cells, most, word) > (cells == 5 ? 5 : 90));
    }
  }

  /** If all tokens of a cell count alike, what was written there before disturbs. */
  @Test
  void theLatestTokenIsNeeded() {
    int[] word = {1, 2, 2, 1, 1, 2};
    List<TuringMachine.Step> right = sweeper().run(word, 60);
    assertEquals(right, new TuringDecoder(sweeper(), 30).run(word, 60).steps());
    assertNotEquals(
        right, new TuringDecoder(sweeper(), 30, false, Precision.DOUBLE).run(word, 60).steps());
  }

  /** What {@code longest} promises holds in single precision too, and what is beyond fails. */
  @Test
  void singlePrecisionIsRightForFewTokens() {
    int[] word = {1, 2};
    TuringDecoder few = new TuringDecoder(sweeper(), 4, true, Precision.SINGLE);
    int most = few.longest() - word.length - 2;
    assertTrue(most > 3, most + " steps");
    assertEquals(sweeper().run(word, most), few.run(word, most).steps());
    int[] longer = new SplittableRandom(3).ints(40, 1, 3).toArray();
    TuringDecoder many = new TuringDecoder(sweeper(), 60, true, Precision.SINGLE);
    assertThrows(IllegalArgumentException.class, () -> many.run(longer, 150));
    assertNotEquals(sweeper().run(longer, 150), many.attempt(longer, 150).steps());
    assertEquals(
        sweeper().run(longer, 150), new TuringDecoder(sweeper(), 60).run(longer, 150).steps());
  }

  @Test
  void whatCannotBeIsRefused() {
    TuringDecoder decoder = new TuringDecoder(sweeper(), 100);
    assertMessage("at most 679 tokens with 100 cells", () -> decoder.run(new int[5], 700));
    assertMessage("expected fewer than the 100 cells", () -> decoder.run(new int[100], 5));
    assertMessage("the symbol 3 is unknown: expected 0 to 2", () -> decoder.run(new int[] {3}, 5));
    assertMessage("the symbol 3 is unknown", () -> sweeper().run(new int[] {3}, 5));
    assertMessage("cells is 201", () -> new TuringDecoder(sweeper(), 201));
    int[][] one = {{0}};
    assertMessage(
        "the move in state 0 on symbol 0 is 2",
        () -> new TuringMachine(1, 1, one, one, new int[][] {{2}}));
    assertMessage(
        "is given for 2 symbols: expected 1",
        () -> new TuringMachine(1, 1, new int[][] {{0, 0}}, one, one));
    assertMessage("0 states", () -> new TuringMachine(0, 1, one, one, one));
  }

  private static void assertMessage(String part, Executable refused) {
    String message = assertThrows(IllegalArgumentException.class, refused).getMessage();
    assertTrue(message.contains(part), message);
  }

  private static void set(
      int[][] next,
      int[][] written,
      int[][] moves,
      int state,
      int symbol,
      int to,
      int write,
      int move) {
    next[state][symbol] = to;
    written[state][symbol] = write;
    moves[state][symbol] = move;
  }
}
