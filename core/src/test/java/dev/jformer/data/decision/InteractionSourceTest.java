package dev.jformer.data.decision;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Interactions, and the labels of their actions. */
class InteractionSourceTest {
  private static final LinearBandits PROBLEM =
      new LinearBandits(2, 4, 65, 0.3, LinearBandits.Weights.UNIFORM);
  private static final Policy<LinearBandit> LINUCB = new LinUcb(1, 1);
  private static final Policy<LinearBandit> UNIFORM = new UniformPolicy<>(4);

  private static InteractionSource<LinearBandit> source(
      Policy<LinearBandit> behaviour, Policy<LinearBandit> expert, boolean shuffled) {
    return new InteractionSource<>(PROBLEM, behaviour, expert, shuffled, 20, 3);
  }

  @Test
  void batchesDependOnTheSeedAndTheirNumber() {
    Interactions first = source(LINUCB, LINUCB, false).training(7);
    Interactions again = source(LINUCB, LINUCB, false).training(7);
    assertArrayEquals(first.observations(), again.observations());
    assertArrayEquals(first.outcomes(), again.outcomes());
    assertFalse(
        Arrays.equals(first.outcomes(), source(LINUCB, LINUCB, false).training(8).outcomes()));
    assertFalse(
        Arrays.equals(first.outcomes(), source(LINUCB, LINUCB, false).heldOut(20).outcomes()));
  }

  @Test
  void aDistilledPolicyIsItsOwnExpert() {
    Interactions own = source(LINUCB, LINUCB, false).training(0);
    assertArrayEquals(own.actions(), own.labels());
  }

  @Test
  void outcomesDescribeTheArm() {
    Interactions some = source(UNIFORM, LINUCB, false).training(0);
    for (int place = 0; place < some.actions().length; place++) {
      int arm = (int) some.actions()[place];
      for (int i = 0; i < 2; i++) {
        assertEquals(some.observations()[place * 8 + 2 * arm + i], some.outcomes()[place * 3 + i]);
      }
    }
  }

  /** Arms can be compared by the observations and the regrets of an interaction. */
  @Test
  void theBestActionHasNoRegret() {
    Interactions some = source(UNIFORM, new BestPolicy<>(), false).training(0);
    int right = 0;
    for (int i = 0; i < some.actions().length; i++) {
      if (some.actions()[i] == some.labels()[i]) {
        assertEquals(0, some.regrets()[i]);
        right++;
      } else {
        assertTrue(some.regrets()[i] > 0);
      }
    }
    assertEquals(0.25 * some.actions().length, right, 100);
  }

  /** An expert sees what the behaviour did: its labels are those of a run on the same history. */
  @Test
  void expertsLabelTheBehavioursHistory() {
    Interactions some = source(UNIFORM, LINUCB, false).training(0);
    for (int row = 0; row < some.count(); row++) {
      double[][] features = new double[4][2];
      for (int arm = 0; arm < 4; arm++) {
        for (int i = 0; i < 2; i++) {
          features[arm][i] = some.observations()[row * 65 * 8 + arm * 2 + i];
        }
      }
      Policy.Run run = LINUCB.start(new LinearBandit(features, new double[2], 0));
      int same = 0;
      for (int t = 0; t < 65; t++) {
        int place = row * 65 + t;
        same += run.choose(null) == some.labels()[place] ? 1 : 0;
        run.learn((int) some.actions()[place], some.outcomes()[place * 3 + 2]);
      }
      // Observations and rewards are float32 here: a tie may be broken otherwise.
      assertTrue(same >= 64, same + " of 65");
    }
  }

  @Test
  void shuffledLabelsKeepTheirNumbersAtEachStep() {
    Interactions plain = source(LINUCB, LINUCB, false).training(0);
    Interactions shuffled = source(LINUCB, LINUCB, true).training(0);
    assertArrayEquals(plain.actions(), shuffled.actions());
    assertFalse(Arrays.equals(plain.labels(), shuffled.labels()));
    for (int t = 0; t < 65; t++) {
      long[] before = new long[20];
      long[] after = new long[20];
      for (int row = 0; row < 20; row++) {
        before[row] = plain.labels()[row * 65 + t];
        after[row] = shuffled.labels()[row * 65 + t];
      }
      Arrays.sort(before);
      Arrays.sort(after);
      assertArrayEquals(before, after);
    }
  }
}
