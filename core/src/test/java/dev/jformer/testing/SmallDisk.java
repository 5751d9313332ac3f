package dev.jformer.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/** Runs programs with a real file system of one megabyte, in a process that may mount one. */
public final class SmallDisk {
  private static final String MOUNT = "mount -t tmpfs -o size=1m none \"$0\"";

  private SmallDisk() {}

  /**
   * Runs the main method of a class, which gets the path of the small disk, and expects it to
   * return. The test counts as not made where no file system may be mounted.
   *
   * @param directory where the disk is mounted, seen by that process only
   */
  public static void run(Path directory, Class<?> program)
      throws IOException, InterruptedException {
    String dir = directory.toString();
    Assumptions.assumeTrue(
        exit("unshare", "-rm", "sh", "-c", MOUNT, dir) == 0, "no rights to mount a file system");
    String script = MOUNT + " && exec \"$1\" -Xmx256m -cp \"$JFORMER_CLASS_PATH\" \"$2\" \"$0\"";
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    assertEquals(0, exit("unshare", "-rm", "sh", "-c", script, dir, java, program.getName()));
  }

  private static int exit(String... command) throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
    builder.environment().put("JFORMER_CLASS_PATH", System.getProperty("java.class.path"));
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      return -1; // no such program here
    }
    assertTrue(process.waitFor(2, TimeUnit.MINUTES), "still running: " + List.of(command));
    return process.exitValue();
  }
}
