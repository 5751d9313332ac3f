package dev.jformer.app.kill;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** A short form of the {@link KillHarness}. */
@DisabledOnOs(OS.WINDOWS) // which has no signals
class KillTest {
  @TempDir Path folder;

  @Test
  void killedCommandsEndAsIfTheyHadNotBeen() throws Exception {
    long seed = System.nanoTime();
    List<String> faults = new KillHarness(folder, seed).run(6, List.of("bpe", "overwrite"));
    assertEquals(List.of(), faults, "with seed " + seed);
  }
}
