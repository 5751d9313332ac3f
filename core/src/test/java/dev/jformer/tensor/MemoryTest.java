package dev.jformer.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Memory shared with files and buffers. */
@ExtendWith(Scoped.class)
class MemoryTest {
  @TempDir Path folder;

  private Path file(int... values) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.nativeOrder());
    bytes.asIntBuffer().put(values);
    return Files.write(folder.resolve("values"), bytes.array());
  }

  @Test
  void mapsAFile() throws IOException {
    Path file = file(1, 2, 3, 4);
    Tensor tensor = Tensor.map(file, DType.INT32, 4);
    assertArrayEquals(new int[] {1, 2, 3, 4}, tensor.toInts());
    assertArrayEquals(new int[] {1, 2}, Tensor.map(file, DType.INT32, 2).toInts());
    assertEquals(16, Tensor.map(file, DType.UINT8, 16).elements());
    tensor.close();
  }

  @Test
  void writesToAMappingStayPrivate() throws IOException {
    Path file = file(1, 2, 3, 4);
    byte[] before = Files.readAllBytes(file);
    Tensor tensor = Tensor.map(file, DType.INT32, 4).mul_(10);
    assertArrayEquals(new int[] {10, 20, 30, 40}, tensor.toInts());
    tensor.close();
    assertArrayEquals(before, Files.readAllBytes(file));
  }

  @Test
  void readsFarBeyondTwoGigabytes() throws IOException {
    Path file = folder.resolve("sparse");
    long elements = (5L << 30) / 4;
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(elements * 4);
      sparse.seek(elements * 4 - 4);
      sparse.write(new byte[] {7, 0, 0, 0});
    }
    try (Tensor tensor = Tensor.map(file, DType.INT32, elements)) {
      assertEquals(elements, tensor.elements());
      long[] tail = tensor.narrow(0, elements - 2, 2).toLongs();
      assertArrayEquals(
          ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN
              ? new long[] {0, 7}
              : new long[] {0, 7 << 24},
          tail);
      assertThrows(TensorException.class, tensor::asBuffer, "larger than a buffer can be");
    }
  }

  @Test
  void filesThatCannotBeMappedAreNamed() throws IOException {
    Path file = file(1, 2);
    var shorter = assertThrows(TensorException.class, () -> Tensor.map(file, DType.INT32, 3));
    assertTrue(shorter.getMessage().contains(file.toString()), shorter.getMessage());
    assertEquals(8, Files.size(file), "the file is left as it is");
    Path missing = folder.resolve("missing");
    var absent = assertThrows(TensorException.class, () -> Tensor.map(missing, DType.INT8, 1));
    assertTrue(absent.getMessage().contains(missing.toString()), absent.getMessage());
    assertThrows(TensorException.class, () -> Tensor.map(folder, DType.INT8, 1));
  }

  @Test
  void wrapsABufferWithoutCopying() {
    ByteBuffer buffer = ByteBuffer.allocateDirect(20).order(ByteOrder.nativeOrder());
    buffer.putFloat(0, -1).position(4);
    Tensor tensor = Tensor.wrap(buffer, DType.FLOAT32, 2, 2);
    assertEquals(4, buffer.position(), "the buffer's position stays");
    buffer.putFloat(8, 5);
    assertArrayEquals(new float[] {0, 5, 0, 0}, tensor.toFloats());
    tensor.fill_(2);
    assertEquals(2, buffer.getFloat(16));
    assertEquals(-1, buffer.getFloat(0));
  }

  @Test
  void onlyFittingDirectBuffersAreWrapped() {
    assertThrows(
        TensorException.class, () -> Tensor.wrap(ByteBuffer.allocate(4), DType.FLOAT32, 1));
    var error =
        assertThrows(
            TensorException.class,
            () -> Tensor.wrap(ByteBuffer.allocateDirect(5), DType.FLOAT32, 1));
    assertTrue(error.getMessage().contains("5 bytes"), error.getMessage());
  }

  @Test
  void aWrappedBufferLivesAsLongAsItsTensor() throws InterruptedException {
    ByteBuffer buffer = ByteBuffer.allocateDirect(1 << 20).order(ByteOrder.nativeOrder());
    WeakReference<ByteBuffer> watch = new WeakReference<>(buffer);
    Tensor tensor;
    try (Scope scope = Scope.open()) {
      tensor = Tensor.wrap(buffer, DType.UINT8, 1 << 20).keep();
    }
    tensor.fill_(7);
    buffer = null;
    for (int i = 0; i < 5; i++) {
      System.gc();
      Thread.sleep(10);
    }
    assertTrue(watch.get() != null, "the buffer was collected under its tensor");
    assertEquals(7, tensor.max().item());
    tensor.close();
    tensor = null;
    for (int i = 0; i < 100 && watch.get() != null; i++) {
      System.gc();
      Thread.sleep(10);
    }
    assertNull(watch.get(), "the buffer outlives its tensor");
  }

  @Test
  void aTensorsMemoryIsABuffer() {
    Tensor tensor = Tensor.of(new float[] {1, 2, 3, 4}, 2, 2);
    ByteBuffer buffer = tensor.asBuffer();
    assertEquals(16, buffer.remaining());
    assertEquals(ByteOrder.nativeOrder(), buffer.order());
    assertEquals(3, buffer.getFloat(8));
    buffer.putFloat(8, 30);
    assertEquals(37, tensor.sum().item());
    assertEquals(30, tensor.narrow(0, 1, 1).asBuffer().getFloat(0), "a view starts at its start");
    assertThrows(TensorException.class, () -> tensor.t().asBuffer());
    assertEquals(0, Tensor.zeros(0).asBuffer().remaining());
  }
}
