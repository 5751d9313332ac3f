package dev.jformer.app.leak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A short form of the {@link LeakHarness}. */
class LeakTest {
  private static final int ROUNDS = 12;

  /** What classes that are compiled meanwhile may take; a model here has 40 kB and more. */
  private static final long BYTES = 30_000;

  @TempDir Path folder;

  @Test
  void commandsGiveBackTheirMemory() throws Exception {
    Path encoder = Path.of("../core/src/test/resources/dev/jformer/io/hf/bert");
    LeakHarness harness = new LeakHarness(folder, encoder, 20);
    List<String> faults = new ArrayList<>();
    for (String work : harness.names()) {
      LeakHarness.Trace trace = harness.repeat(work, ROUNDS);
      if (trace.pointersEach() > 0 || trace.bytesEach() > BYTES) {
        faults.add(trace.row());
      }
    }
    assertEquals(List.of(), faults);
    assertTrue(harness.names().size() > 10);
  }
}
