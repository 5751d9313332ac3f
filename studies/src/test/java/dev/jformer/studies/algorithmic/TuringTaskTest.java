package dev.jformer.studies.algorithmic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.construct.TuringMachine;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class TuringTaskTest {
  private static Map<Integer, Integer> tape(int[] word, List<TuringMachine.Step> steps) {
    Map<Integer, Integer> tape = new HashMap<>();
    for (int i = 0; i < word.length; i++) {
      tape.put(i + 1, word[i]);
    }
    steps.forEach(step -> tape.put(step.cell(), step.written()));
    return tape;
  }

  private static long ones(Map<Integer, Integer> tape) {
    return tape.values().stream().filter(symbol -> symbol == 1).count();
  }

  /** The known numbers of steps and of ones of the busy beaver of four states: 107 and 13. */
  @Test
  void theBeaverIsBusy() {
    List<TuringMachine.Step> steps = TuringTask.BEAVER.machine().run(new int[0], 1000);
    assertEquals(107, steps.size());
    assertEquals(13, ones(tape(new int[0], steps)));
  }

  @Test
  void adds() {
    SplittableRandom random = new SplittableRandom(1);
    for (int length = 1; length < 70; length++) {
      int[] word = TuringTask.ADDITION.word(length, random);
      List<TuringMachine.Step> steps = TuringTask.ADDITION.machine().run(word, 1000);
      assertEquals(TuringTask.ADDITION.machine().states(), steps.get(steps.size() - 1).state());
      assertEquals(length - 1, ones(tape(word, steps)));
    }
  }

  @Test
  void counts() {
    int[] word = {2, 1, 2, 2}; // 1011, which is 11
    int last = 11;
    List<TuringMachine.Step> steps = TuringTask.COUNTING.machine().run(word, 700);
    for (int i = 1; i < steps.size(); i++) {
      if (steps.get(i).state() == 2 && steps.get(i - 1).state() == 1) {
        Map<Integer, Integer> tape = tape(word, steps.subList(0, i + 1));
        int number = 0;
        for (int cell = -10; cell <= 4; cell++) {
          number = 2 * number + (tape.getOrDefault(cell, 0) == 2 ? 1 : 0);
        }
        assertEquals(++last, number);
      }
    }
    assertTrue(last > 60, "counted to " + last);
  }

  @Test
  void tellsPalindromes() {
    SplittableRandom random = new SplittableRandom(2);
    TuringMachine machine = TuringTask.PALINDROMES.machine();
    int accepted = 0;
    for (int i = 0; i < 200; i++) {
      int[] word = TuringTask.PALINDROMES.word(1 + i % 33, random);
      List<TuringMachine.Step> steps = machine.run(word, 10_000);
      boolean accepts = steps.get(steps.size() - 1).state() == machine.states();
      assertEquals(TuringTask.PALINDROMES.answer(word), accepts);
      accepted += accepts ? 1 : 0;
    }
    assertTrue(accepted > 60 && accepted < 160, accepted + " palindromes");
  }

  @Test
  void weightsRunThem() {
    for (TuringTask task : TuringTask.values()) {
      TuringRuns.Outcome right = TuringRuns.compare(task, 20, 20, 300, true, done -> {});
      assertEquals(0, right.wrong(), task.title());
      assertEquals(0, right.wrongAnswers(), task.title());
    }
    TuringRuns.Outcome control =
        TuringRuns.compare(TuringTask.COUNTING, 20, 20, 300, false, done -> {});
    assertTrue(control.wrong() > 100, control.wrong() + " wrong configurations");
  }
}
