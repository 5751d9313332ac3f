package dev.jformer.construct;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class MachineDecoderTest {
  private static final int[] LENGTHS = {0, 1, 2, 3, 17, 63, 64, 65, 127, 128, 129, 200};

  private static void assertSimulates(CounterMachine machine, int... word) {
    MachineDecoder.Trace trace = new MachineDecoder(machine).run(word);
    assertArrayEquals(machine.run(word), trace.states(), word.length + " symbols");
    assertEquals(machine.accepts(word), trace.answer());
  }

  /** Two hundred random automata, each on a word of another length. */
  @Test
  void simulatesAutomata() {
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 200; i++) {
      int states = 1 + random.nextInt(8);
      CounterMachine machine = CounterMachine.random(states, 1 + random.nextInt(4), 0, random);
      int length = i < LENGTHS.length ? LENGTHS[i] : random.nextInt(60);
      assertSimulates(machine, random.ints(length, 0, machine.symbols()).toArray());
    }
    CounterMachine machine = CounterMachine.random(5, 3, 0, random);
    assertSimulates(machine, random.ints(500, 0, 3).toArray());
  }

  @Test
  void simulatesCounterMachines() {
    SplittableRandom random = new SplittableRandom(2);
    for (int i = 0; i < 60; i++) {
      CounterMachine machine =
          CounterMachine.random(1 + random.nextInt(4), 2, 1 + random.nextInt(3), random);
      int length = i < LENGTHS.length ? LENGTHS[i] : random.nextInt(60);
      assertSimulates(machine, random.ints(length, 0, machine.symbols()).toArray());
    }
  }

  /** Parity, written by hand, against the sum. */
  @Test
  void parityIsRightAtTheLongestLength() {
    CounterMachine parity = CounterMachine.automaton(new int[][] {{0, 1}, {1, 0}}, true, false);
    SplittableRandom random = new SplittableRandom(3);
    int[] word = random.ints(MachineDecoder.LONGEST, 0, 2).toArray();
    MachineDecoder.Trace trace = new MachineDecoder(parity).run(word);
    int sum = 0;
    for (int i = 0; i < word.length; i++) {
      sum += word[i];
      assertEquals(sum % 2, trace.states()[i]);
    }
    assertEquals(sum % 2 == 0, trace.answer());
  }

  /** As many a as b, by a counter that may be negative, against counting. */
  @Test
  void countersMayBeNegative() {
    int[][][] next = {{{0, 0}, {0, 0}}};
    int[][][][] steps = {{{{1}, {1}}, {{-1}, {-1}}}};
    CounterMachine equal =
        new CounterMachine(1, 2, 1, next, steps, new boolean[][] {{true, false}});
    SplittableRandom random = new SplittableRandom(4);
    MachineDecoder decoder = new MachineDecoder(equal);
    for (int i = 0; i < 60; i++) {
      int[] word = random.ints(2L * random.nextInt(12), 0, 2).toArray();
      assertEquals(2 * Arrays.stream(word).sum() == word.length, decoder.run(word).answer());
    }
  }

  /** A reader that sees all symbols alike does not find the one whose turn it is. */
  @Test
  void theHashIsNeeded() {
    CounterMachine parity = CounterMachine.automaton(new int[][] {{0, 1}, {1, 0}}, true, false);
    int[] word = {1, 0, 0, 1, 1};
    assertArrayEquals(parity.run(word), new MachineDecoder(parity).run(word).states());
    assertTrue(
        !Arrays.equals(parity.run(word), new MachineDecoder(parity, false).run(word).states()));
  }

  @Test
  void wordsThatCannotBeAreRefused() {
    MachineDecoder decoder =
        new MachineDecoder(CounterMachine.automaton(new int[][] {{0, 0}}, true));
    String message =
        assertThrows(IllegalArgumentException.class, () -> decoder.run(0, 2)).getMessage();
    assertTrue(message.contains("the symbol 2 is unknown: expected 0 to 1"), message);
    message =
        assertThrows(IllegalArgumentException.class, () -> decoder.run(new int[2001])).getMessage();
    assertTrue(message.contains("at most 2000"), message);
    message =
        assertThrows(
                IllegalArgumentException.class,
                () -> CounterMachine.automaton(new int[][] {{0, 1}}, true))
            .getMessage();
    assertTrue(message.contains("expected 0 to 0"), message);
    assertThrows(
        IllegalArgumentException.class,
        () -> new CounterMachine(1, 1, 5, new int[1][1][32], new int[1][1][32][5], null));
    assertThrows(
        IllegalArgumentException.class,
        () -> decoder.decoder().generate(new int[0], token -> false, 3));
    assertThrows(
        IllegalArgumentException.class,
        () -> decoder.decoder().generate(new int[] {99}, token -> false, 3));
  }
}
