package dev.jformer.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SharedMapTest {
  private static final long ELEMENTS =
      8L << 30; // as many 64-bit numbers as no test machine can hold

  @TempDir Path folder;

  /** A file that is too short is refused, and stays as it was. */
  @Test
  void enlargesNoFile() throws IOException {
    Path path = Files.write(folder.resolve("short"), new byte[20]);
    for (long elements : new long[] {3, 1000}) {
      String shared =
          assertThrows(TensorException.class, () -> Tensor.mapShared(path, DType.INT64, elements))
              .getMessage();
      assertTrue(shared.contains("20 bytes, expected at least " + 8 * elements), shared);
      assertThrows(TensorException.class, () -> Tensor.map(path, DType.INT64, elements));
      assertEquals(20, Files.size(path));
    }
    try (Scope scope = Scope.open()) {
      assertEquals(2, Tensor.mapShared(path, DType.INT64, 2).elements());
    }
  }

  @Test
  void readsFilesLargerThanMemory() throws IOException {
    Path path = folder.resolve("sparse");
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(ELEMENTS * 8);
      file.seek(ELEMENTS * 8 - 8);
      file.writeLong(Long.reverseBytes(42));
    }
    long before = Engine.residentBytes();
    try (Scope scope = Scope.open()) {
      Tensor mapped = Tensor.mapShared(path, DType.INT64, ELEMENTS);
      assertEquals(ELEMENTS, mapped.elements());
      assertArrayEquals(new long[] {0, 42}, mapped.narrow(0, ELEMENTS - 2, 2).toLongs());
      assertTrue(Engine.residentBytes() - before < 64 << 20);
    }
  }
}
