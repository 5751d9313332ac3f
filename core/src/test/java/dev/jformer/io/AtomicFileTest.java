package dev.jformer.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.SmallDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
  private static final Path FULL = Path.of("/dev/full");

  @TempDir Path directory;

  @Test
  void theOldFileStaysUntilTheNewOneIsWhole() throws IOException {
    Path target = Files.writeString(directory.resolve("f"), "old");
    try (AtomicFile file = AtomicFile.beside(target)) {
      file.channel().write(ByteBuffer.wrap("new".getBytes(StandardCharsets.UTF_8)));
      file.seal();
      assertEquals("old", Files.readString(target));
      file.commit();
      assertEquals("new", Files.readString(target));
    }
    assertEquals(List.of("f"), List.of(directory.toFile().list()));
  }

  @Test
  void nothingRemainsWithoutCommit() throws IOException {
    Path target = directory.resolve("f");
    try (AtomicFile file = AtomicFile.beside(target)) {
      file.channel().write(ByteBuffer.allocate(10));
      assertEquals(1, directory.toFile().list().length);
    }
    assertEquals(0, directory.toFile().list().length);
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void fullDiskLeavesTheOldFileAlone() throws IOException {
    Assumptions.assumeTrue(Files.isWritable(FULL));
    Path target = Files.writeString(directory.resolve("model.safetensors"), "old");
    AtomicFile.Opener fullDisk =
        temporary -> {
          Files.createFile(temporary);
          return FileChannel.open(FULL, StandardOpenOption.WRITE);
        };
    try (Scope scope = Scope.open();
        AtomicFile file = AtomicFile.beside(target, fullDisk)) {
      Map<String, Tensor> tensors = Map.of("a", Tensor.ones(100));
      IOException e =
          assertThrows(
              IOException.class, () -> SafetensorsFile.write(file, target, tensors, Map.of()));
      assertEquals(target + ": cannot be written: No space left on device", e.getMessage());
    }
    assertEquals("old", Files.readString(target));
    assertArrayEquals(new String[] {"model.safetensors"}, directory.toFile().list());
  }

  /** The same with a real file system of one megabyte, in a process that may mount one. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void fullFileSystemLeavesTheOldFileAlone() throws Exception {
    SmallDisk.run(directory, FullDisk.class);
  }

  /** Runs with a directory on a file system of one megabyte. */
  static final class FullDisk {
    private FullDisk() {}

    public static void main(String[] args) throws IOException {
      Path directory = Path.of(args[0]);
      try (Scope scope = Scope.open()) {
        Map<String, Tensor> small = Map.of("a", Tensor.ones(10));
        Map<String, Tensor> large = Map.of("a", Tensor.ones(100_000), "b", Tensor.ones(300_000));
        Weights.save(directory, small, Map.of());
        for (long shardBytes : new long[] {500_000, Long.MAX_VALUE}) {
          IOException e =
              assertThrows(
                  IOException.class,
                  () -> Weights.save(directory, large, Map.of(), Map.of(), shardBytes));
          assertTrue(e.getMessage().endsWith("No space left on device"), e.getMessage());
          assertArrayEquals(new String[] {"model.safetensors"}, directory.toFile().list());
          try (Weights weights = Weights.open(directory)) {
            assertEquals(10, weights.tensor("a").sum().item());
          }
        }
      }
    }
  }
}
