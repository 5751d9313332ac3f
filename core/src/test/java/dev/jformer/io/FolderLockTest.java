package dev.jformer.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FolderLockTest {
  @TempDir Path folder;

  @Test
  void aFolderIsLockedOnceAndLeftClean() throws IOException {
    FolderLock lock = FolderLock.acquire(folder);
    String message = assertThrows(IOException.class, () -> FolderLock.acquire(folder)).getMessage();
    assertEquals(
        folder + " is in use by this process: wait for it to end, or choose another folder",
        message);
    lock.close();
    assertEquals(0, folder.toFile().list().length);
    FolderLock.acquire(folder).close();
  }

  @Test
  void theFileOfADeadProcessLocksNothing() throws IOException {
    Files.writeString(
        folder.resolve(FolderLock.FILE),
        "process " + ProcessHandle.current().pid() + ", which started at some time");
    FolderLock.acquire(folder).close();
    assertEquals(0, folder.toFile().list().length);
  }

  @Test
  void anotherProcessIsNamedAndMayBeWaitedFor() throws Exception {
    Process process = start(Holder.class, folder);
    assertEquals('l', process.getInputStream().read());
    String message = assertThrows(IOException.class, () -> FolderLock.acquire(folder)).getMessage();
    assertTrue(message.contains("in use by process " + process.pid() + ", which started at 2"));
    assertFalse(message.contains("\n"), message);
    process.getOutputStream().close();
    FolderLock.await(folder, Duration.ofSeconds(20)).close();
    assertEquals(0, folder.toFile().list().length);
    assertTrue(process.waitFor(20, TimeUnit.SECONDS));
  }

  @Test
  void aKilledProcessReleasesItsLock() throws Exception {
    Process process = start(Holder.class, folder);
    assertEquals('l', process.getInputStream().read());
    process.destroyForcibly().waitFor();
    assertEquals(List.of(FolderLock.FILE), List.of(folder.toFile().list()));
    FolderLock.acquire(folder).close();
    assertEquals(0, folder.toFile().list().length);
  }

  /** Starts a class of the tests in a process of its own. */
  static Process start(Class<?> main, Path argument) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            main.getName(),
            argument.toString())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  /** Locks a folder until its input ends. */
  static final class Holder {
    private Holder() {}

    public static void main(String[] args) throws IOException {
      try (FolderLock lock = FolderLock.acquire(Path.of(args[0]))) {
        System.out.write('l');
        System.out.flush();
        while (System.in.read() >= 0) {
          // There is more to read.
        }
      }
    }
  }
}
