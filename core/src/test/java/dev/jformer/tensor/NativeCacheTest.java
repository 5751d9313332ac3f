package dev.jformer.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.jar.JarFile;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeCacheTest {
  private static final String FOLDER = "org/example/linux/";
  private static final long TIME = 1_700_000_000_000L;

  @TempDir private Path folder;

  @Test
  void deletesWhatAKilledProcessLeftIncomplete() throws IOException {
    Path jar = folder.resolve("natives.jar");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
      for (String name : List.of(FOLDER + "whole.so", FOLDER + "half.so", "other/half.so")) {
        ZipEntry entry = new ZipEntry(name);
        entry.setTime(TIME);
        zip.putNextEntry(entry);
        zip.write("a library".getBytes(StandardCharsets.US_ASCII));
      }
      ZipEntry untimed = new ZipEntry(FOLDER + "untimed.so");
      untimed.setTime(TIME);
      zip.putNextEntry(untimed);
      zip.write("a library".getBytes(StandardCharsets.US_ASCII));
    }
    Path cache = Files.createDirectory(folder.resolve("cache"));
    Path whole = unpacked(cache, FOLDER + "whole.so", "a library", TIME);
    Path half = unpacked(cache, FOLDER + "half.so", "a lib", TIME);
    Path untimed = unpacked(cache, FOLDER + "untimed.so", "a library", TIME + 60_000);
    Path other = unpacked(cache, "other/half.so", "a lib", TIME);
    try (JarFile file = new JarFile(jar.toFile())) {
      NativeCache.removeIncomplete(cache, file, FOLDER);
    }
    assertTrue(Files.exists(whole));
    assertFalse(Files.exists(half), "half of a library is left");
    assertFalse(Files.exists(untimed), "the time is set last: without it a file is not complete");
    assertTrue(Files.exists(other), "another folder of the jar");
  }

  private static Path unpacked(Path cache, String name, String content, long time)
      throws IOException {
    Path file = cache.resolve("natives.jar").resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
    Files.setLastModifiedTime(file, FileTime.fromMillis(time));
    return file;
  }

  @Test
  void usesOneFolderForTheProcessesOfAUser() throws IOException {
    Path first = NativeCache.privateFolder(folder);
    Path second = NativeCache.privateFolder(folder);
    assertEquals(first, second);
    assertEquals(
        PosixFilePermissions.fromString("rwx------"), Files.getPosixFilePermissions(first));
    try (var all = Files.list(folder)) {
      assertEquals(1, all.count(), "a folder that is not used is left");
    }
  }

  @Test
  void doesNotUseAFolderThatOthersCanWrite() throws IOException {
    Path usual = NativeCache.privateFolder(folder);
    Files.setPosixFilePermissions(usual, PosixFilePermissions.fromString("rwxrwxrwx"));
    Path other = NativeCache.privateFolder(folder);
    assertNotEquals(usual, other);
    assertEquals(
        PosixFilePermissions.fromString("rwx------"), Files.getPosixFilePermissions(other));
  }

  @Test
  void doesNotFollowALinkThatSomebodyPrepared() throws IOException {
    Path usual = NativeCache.privateFolder(folder);
    Path theirs = Files.createDirectory(folder.resolve("theirs"));
    Files.setPosixFilePermissions(theirs, PosixFilePermissions.fromString("rwx------"));
    Files.delete(usual);
    Files.createSymbolicLink(usual, theirs);
    assertNotEquals(usual, NativeCache.privateFolder(folder));
  }

  @Test
  void processesWaitForEachOtherUntilLibrariesWereLoadedOnce() throws IOException {
    try (NativeCache.Turn turn = NativeCache.Turn.of(folder, "some")) {
      assertTrue(isLocked());
    }
    assertFalse(isLocked());
    try (NativeCache.Turn turn = NativeCache.Turn.of(folder, "some")) {
      assertTrue(isLocked(), "a load that failed is no reason not to wait");
      turn.done();
    }
    try (NativeCache.Turn turn = NativeCache.Turn.of(folder, "some")) {
      assertFalse(isLocked());
    }
    try (NativeCache.Turn turn = NativeCache.Turn.of(folder, "others")) {
      assertTrue(isLocked());
    }
  }

  private boolean isLocked() throws IOException {
    try (FileChannel channel =
        FileChannel.open(
            folder.resolve(".jformer.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      channel.tryLock();
      return false;
    } catch (OverlappingFileLockException e) {
      return true;
    }
  }
}
