package dev.jformer.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OrdinaryLoopTest {
  /**
   * In a Java heap that is resident from the start, so that only native memory can grow. Nothing is
   * collected on purpose: memory that waits for the garbage collector counts as leaked.
   */
  @Test
  void anOrdinaryTrainingLoopDoesNotLeak(@TempDir Path folder)
      throws IOException, InterruptedException {
    Path output = folder.resolve("output");
    Path errors = folder.resolve("errors"); // newer Java warns there of native code
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xms96m",
                "-Xmx96m",
                "-XX:+AlwaysPreTouch",
                "-XX:TieredStopAtLevel=1",
                "-Djformer.threads=1",
                "-cp",
                System.getProperty("java.class.path"),
                OrdinaryLoop.class.getName())
            .redirectError(errors.toFile())
            .redirectOutput(output.toFile())
            .start();
    int status = process.waitFor();
    String text = Files.readString(output, StandardCharsets.UTF_8);
    assertEquals(0, status, text + Files.readString(errors, StandardCharsets.UTF_8));
    List<Double> printed = text.lines().map(Double::valueOf).toList();
    assertEquals(4, printed.size(), text);
    assertEquals(Math.log(64), printed.get(0), 0.1, "the loss of an even guess");
    assertTrue(printed.get(2) < 0.1, "it learns to count: " + text);
    double early = printed.get(1);
    double late = printed.get(3);
    // One activation kept at each step would be 32 KiB · 1,800 = 59 MB.
    assertEquals(early, late, 0.02 * early, "resident bytes at step 2,000");
  }
}
