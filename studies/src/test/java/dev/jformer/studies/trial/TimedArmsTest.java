package dev.jformer.studies.trial;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.nn.Layer;
import dev.jformer.studies.Arms;
import dev.jformer.studies.Measured;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TimedArmsTest {
  /** Writes down how it is used. */
  private static final class Noting extends Layer {
    private final String name;
    private final List<String> notes;
    private Tensor last;

    Noting(String name, List<String> notes) {
      this.name = name;
      this.notes = notes;
    }

    @Override
    public Tensor forward(Tensor x) {
      last = x;
      notes.add(name + (isTraining() ? " trains" : " runs") + " on " + x.size(0));
      return x.mul(2);
    }

    @Override
    public void close() {
      notes.add(name + (last.requiresGrad() ? " with gradient" : " without"));
      super.close();
    }
  }

  @Test
  void layersHaveTheirTurnsAndAreClosed() {
    Arms<String> arms = Arms.of("a", "a").arm("b", "b");
    for (boolean both : new boolean[] {false, true}) {
      List<String> notes = new ArrayList<>();
      try (Scope scope = Scope.open()) {
        TimedArms times = TimedArms.layers(arms, a -> new Noting(a, notes), both, 1, 1, 3, 4);
        assertEquals(List.of("a", "b"), times.names());
        assertTrue(times.seconds("b") > 0);
      }
      String runs = both ? " trains on 3" : " runs on 3";
      String end = both ? " with gradient" : " without";
      assertEquals(
          List.of("a" + runs, "b" + runs, "a" + runs, "b" + runs, "a" + end, "b" + end), notes);
    }
  }

  @Test
  void ratiosStandBesideEachOther() {
    Map<String, TimedArms> columns = new LinkedHashMap<>();
    List<String> names = List.of("dense", "sparse");
    columns.put("short", new TimedArms(names, new Timings(List.of(List.of(1.0), List.of(3.0)))));
    columns.put("long", new TimedArms(names, new Timings(List.of(List.of(2.0), List.of(1.0)))));
    assertEquals(
        List.of(List.of("dense", "1", "1"), List.of("sparse", "3", "0.5000")),
        TimedArms.ratios("Times", "layer", Measured.of(columns)).rows());
  }
}
