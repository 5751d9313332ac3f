package dev.jformer.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class TemporaryFolderTest {
  @TempDir Path directory;

  private static Process start(Path directory) throws IOException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-Djava.io.tmpdir=" + directory,
                "-XX:-UsePerfData",
                "-cp",
                System.getProperty("java.class.path"),
                Holder.class.getName())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    assertEquals('m', process.getInputStream().read());
    return process;
  }

  @Test
  void closingDeletesTheFolder() throws IOException {
    try (TemporaryFolder folder = TemporaryFolder.create("test")) {
      Files.writeString(folder.path().resolve("a"), "text");
      directory = folder.path();
    }
    assertFalse(Files.exists(directory));
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void aProcessThatIsAskedToEndLeavesNothing() throws Exception {
    Process process = start(directory);
    assertEquals(1, directory.toFile().list().length);
    process.destroy();
    assertTrue(process.waitFor(20, TimeUnit.SECONDS));
    assertEquals(List.of(), List.of(directory.toFile().list()));
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void whatAKilledProcessLeftIsDeletedByTheNextOne() throws Exception {
    Path users = Files.createDirectory(directory.resolve("jformer-mine"));
    start(directory).destroyForcibly().waitFor();
    Path left;
    try (var entries = Files.newDirectoryStream(directory, "jformer-test-*")) {
      left = entries.iterator().next();
    }
    Files.setLastModifiedTime(
        left.resolve(FolderLock.FILE), FileTime.from(Instant.now().minusSeconds(100)));
    Process next = start(directory);
    assertFalse(Files.exists(left));
    assertTrue(Files.exists(users), "no folder of ours");
    Process third = start(directory);
    assertEquals(3, directory.toFile().list().length, "those in use stay");
    for (Process process : List.of(next, third)) {
      process.destroy();
      assertTrue(process.waitFor(20, TimeUnit.SECONDS));
    }
  }

  /** Makes a temporary folder with a file and waits. */
  static final class Holder {
    private Holder() {}

    public static void main(String[] args) throws Exception {
      TemporaryFolder folder = TemporaryFolder.create("test");
      Files.writeString(folder.path().resolve("tokens.bin"), "text");
      System.out.write('m');
      System.out.flush();
      Thread.sleep(60_000);
    }
  }
}
