package dev.jformer.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ScheduleTest {
  @ParameterizedTest
  @EnumSource(Schedule.Shape.class)
  void warmsUpInAStraightLineToThePeak(Schedule.Shape shape) {
    Schedule schedule = new Schedule(shape, 5, 0.1);
    double[] expected = {0.2, 0.4, 0.6, 0.8, 1, 1};
    for (int step = 0; step < expected.length; step++) {
      assertEquals(expected[step], schedule.factor(step, 100), 1e-12);
    }
  }

  @Test
  void goesDownAsItsShapeSays() {
    for (int total : new int[] {30, 101}) {
      for (int step = 10; step < total; step++) {
        double done = (step - 10.0) / (total - 11);
        assertEquals(
            0.2 + 0.8 * Math.pow(Math.cos(Math.PI / 2 * done), 2),
            new Schedule(Schedule.Shape.COSINE, 10, 0.2).factor(step, total),
            1e-12);
        assertEquals(
            1 - 0.8 * done,
            new Schedule(Schedule.Shape.LINEAR, 10, 0.2).factor(step, total),
            1e-12);
        assertEquals(1, new Schedule(Schedule.Shape.CONSTANT, 10, 0.2).factor(step, total));
      }
    }
  }

  @Test
  void inverseSquareRootKnowsNoEnd() {
    Schedule schedule = new Schedule(Schedule.Shape.INVERSE_SQRT, 400, 0.1);
    assertEquals(1, schedule.factor(400, 1000), 1e-12);
    assertEquals(0.5, schedule.factor(1600, 1000), 1e-12);
    assertEquals(0.25, schedule.factor(6400, 100_000), 1e-12);
    assertEquals(0.1, schedule.factor(10_000_000, 1000), 1e-12);
    assertEquals(
        1 / Math.sqrt(9), new Schedule(Schedule.Shape.INVERSE_SQRT, 0, 0).factor(9, 10), 1e-12);
  }

  @Test
  void endsOnTheFloorAndStaysThere() {
    for (Schedule.Shape shape :
        new Schedule.Shape[] {Schedule.Shape.COSINE, Schedule.Shape.LINEAR}) {
      Schedule schedule = new Schedule(shape, 3, 0.25);
      assertEquals(0.25, schedule.factor(99, 100), 1e-12);
      assertEquals(0.25, schedule.factor(1000, 100), 1e-12);
    }
  }

  @ParameterizedTest
  @EnumSource(Schedule.Shape.class)
  void isAFactorForEveryLengthAndWarmup(Schedule.Shape shape) {
    for (int warmup : new int[] {0, 1, 2, 7, 50}) {
      for (int total : new int[] {1, 2, 3, 7, 8, 9, 40}) {
        for (int step = 0; step < total; step++) {
          double factor = new Schedule(shape, warmup, 0).factor(step, total);
          assertTrue(factor >= 0 && factor <= 1, shape + " " + warmup + " " + total + " " + step);
          assertTrue(factor > 0 || step == total - 1, "only the last step may stand still");
        }
      }
    }
  }

  @Test
  void refusesImpossibleValues() {
    assertThrows(
        IllegalArgumentException.class, () -> new Schedule(Schedule.Shape.COSINE, -1, 0.1));
    for (double floor : new double[] {-0.1, 1.1, Double.NaN}) {
      assertThrows(
          IllegalArgumentException.class, () -> new Schedule(Schedule.Shape.COSINE, 1, floor));
    }
  }
}
