package dev.jformer.studies.trial;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class InterleavedTimerTest {
  @Test
  void piecesHaveTheirTurnsRoundByRoundAndWarmUpDoesNotCount() {
    List<String> turns = new ArrayList<>();
    int[] calls = new int[2];
    InterleavedTimer.Work first = () -> ++calls[0];
    InterleavedTimer.Work second = () -> 10.0 * ++calls[1];
    Timings timings =
        InterleavedTimer.measure(
            List.of(first, second), 1, 3, (piece, round) -> turns.add(piece + ":" + round));
    assertEquals(List.of("0:-1", "1:-1", "0:0", "1:0", "0:1", "1:1", "0:2", "1:2"), turns);
    assertEquals(List.of(List.of(2.0, 3.0, 4.0), List.of(20.0, 30.0, 40.0)), timings.seconds());
    assertEquals(List.of(3.0, 30.0), timings.medians());
    assertEquals(new Timings.Statistics(10, 10, 10, 3), timings.ratio(1, 0));
  }

  @Test
  void quartilesAreInterpolated() {
    assertEquals(
        new Timings.Statistics(2.5, 1.75, 3.25, 4),
        Timings.Statistics.of(List.of(4.0, 1.0, 3.0, 2.0)));
    assertEquals(
        0.8 * 1.5 / 2, Timings.Statistics.of(List.of(4.0, 1.0, 3.0, 2.0)).estimate().error(), 1e-9);
  }
}
