package dev.jformer.app.leak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A short form of the {@link LeakHarness}: no native object is left, such as a tensor. Bytes are
 * compared over many more rounds, because compilers take and give back megabytes meanwhile.
 */
class LeakTest {
  private static final int ROUNDS = 8;
  private static final long BYTES = 8_000_000;

  @TempDir Path folder;

  @Test
  void commandsGiveBackTheirMemory() throws Exception {
    Path encoder = Path.of("../core/src/test/resources/dev/jformer/io/hf/bert");
    LeakHarness harness = new LeakHarness(folder, encoder, 20);
    List<String> faults = new ArrayList<>();
    for (String work : List.of("train bytes", "generate", "embed", "eval", "compress ptq")) {
      LeakHarness.Trace trace = harness.repeat(work, ROUNDS);
      assertTrue(trace.samples().get(0).pointers() > 0, "native objects are counted");
      if (trace.pointersEach() != 0 || trace.bytesEach() > BYTES) {
        faults.add(trace.row());
      }
    }
    assertEquals(List.of(), faults);
  }
}
