package dev.jformer.io.gguf;

import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.io.FormatException;
import dev.jformer.tensor.BlockTable;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.IntegerBlocks;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that Python's gguf wrote ({@code tools/fixtures/make_gguf.py}), and unsound ones. */
@ExtendWith(Scoped.class)
class GgufFileTest {
  static final Path FILE = Path.of("src/test/resources/dev/jformer/io/gguf/types.gguf");
  private static final long HUGE = Long.MIN_VALUE; // 2^63

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(GgufType.class)
  void decodesAsPythonDoes(GgufType type) throws IOException {
    try (GgufFile file = GgufFile.open(FILE)) {
      Tensor found = file.tensor(type.name());
      Tensor expected = file.tensor(type.name() + ".expected");
      assertEquals(type, file.tensors().get(type.name()).type());
      assertEquals(expected.shape(), found.shape());
      double worst = found.to(DType.FLOAT32).sub(expected).abs().max().item();
      double largest = expected.abs().max().item();
      assertTrue(largest > 0.01, "the comparison has values: " + largest);
      assertTrue(worst <= 1e-6 * largest, worst + " of " + largest);
    }
  }

  /** The integers, scales and offsets stand for the same values, bit for bit. */
  @ParameterizedTest
  @EnumSource(GgufType.class)
  void takesBlocksApart(GgufType type) throws IOException {
    try (GgufFile file = GgufFile.open(FILE)) {
      Optional<IntegerBlocks> blocks = file.blocks(type.name());
      assertEquals(type.isQuantized(), blocks.isPresent());
      if (blocks.isPresent()) {
        assertSame(file.tensor(type.name()), blocks.get().values(), "values");
        assertEquals(type.partValues(), blocks.get().block());
        assertSame(file.tensor(type.name()), BlockTable.of(blocks.get()).values(), "in few bits");
      }
    }
  }

  @Test
  void readsMetadata() throws IOException {
    try (GgufFile file = GgufFile.open(FILE)) {
      GgufMetadata metadata = file.metadata();
      assertEquals("test", metadata.text("general.architecture"));
      assertEquals("a ü 中", metadata.text("test.text"));
      assertEquals(List.of("one", "", "drei"), metadata.strings("test.strings"));
      assertEquals(List.of("one", "", "drei"), metadata.strings("test.strings"));
      assertArrayEquals(new float[] {1.5f, -2}, metadata.numbers("test.numbers"));
      assertArrayEquals(new int[] {3, -4}, metadata.integers("test.integers"));
      assertTrue(metadata.flag("test.flag", false));
      assertEquals(0.1, metadata.number("test.double", 0));
      assertEquals(-3, metadata.number("test.negative", 0));
      assertEquals(-1, metadata.id("test.none"));
    }
  }

  @Test
  void wrongKindsOfMetadataAreNamed() throws IOException {
    try (GgufFile file = GgufFile.open(FILE)) {
      GgufMetadata metadata = file.metadata();
      refused(() -> metadata.size("test.text"), "test.text is 'a ü 中': expected an integer");
      refused(
          () -> metadata.size("test.negative"), "test.negative is -3: expected an integer from");
      refused(() -> metadata.size("test.huge"), "18446744073709551615");
      refused(() -> metadata.text("test.strings"), "an array of 3 values: expected a string");
      refused(() -> metadata.strings("test.numbers"), "expected an array of strings");
      refused(() -> metadata.integers("test.numbers"), "expected an array of integers");
      refused(() -> metadata.text("test.none"), "test.none is missing");
    }
  }

  private static void refused(org.junit.jupiter.api.function.Executable reading, String part) {
    FormatException e = assertThrows(FormatException.class, reading);
    assertTrue(e.getMessage().contains(part), e.getMessage());
    assertTrue(e.getMessage().contains(".gguf: "), e.getMessage());
    assertFalse(e.getMessage().contains("\n"), e.getMessage());
  }

  // ---- Unsound files

  /** A file, number by number. */
  private static final class Bytes {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    Bytes start(long tensors, long keys) {
      return raw("GGUF").int32(3).int64(tensors).int64(keys);
    }

    Bytes raw(String text) {
      out.writeBytes(text.getBytes(StandardCharsets.UTF_8));
      return this;
    }

    Bytes int32(int value) {
      out.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
      return this;
    }

    Bytes int64(long value) {
      out.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
      return this;
    }

    Bytes text(String text) {
      return int64(text.getBytes(StandardCharsets.UTF_8).length).raw(text);
    }

    /** A tensor of floats with one dimension. */
    Bytes tensor(String name, long size, long begin) {
      return text(name).int32(1).int64(size).int32(0).int64(begin);
    }

    Bytes zeros(int count) {
      out.writeBytes(new byte[count]);
      return this;
    }

    Bytes aligned() {
      return zeros((32 - out.size() % 32) % 32);
    }
  }

  private void refused(Bytes bytes, String part) throws IOException {
    Path file = Files.write(folder.resolve("bad.gguf"), bytes.out.toByteArray());
    refused(() -> GgufFile.open(file).close(), part);
  }

  @ParameterizedTest
  @ValueSource(longs = {HUGE, Long.MAX_VALUE, -1, 1L << 40, 1000})
  void countsBeyondTheFileAreRefused(long count) throws IOException {
    String found = Long.toUnsignedString(count);
    refused(new Bytes().start(count, 0), "the number of tensors reads as " + found);
    refused(new Bytes().start(0, count), "the number of metadata reads as " + found);
    refused(new Bytes().start(0, 1).int64(count).zeros(20), "key of metadata 0 reads as " + found);
    refused(
        new Bytes().start(0, 1).text("k").int32(8).int64(count),
        "the length of metadata 'k' reads as " + found);
    for (int element : new int[] {0, 8, 9, 12}) {
      refused(
          new Bytes().start(0, 1).text("k").int32(9).int32(element).int64(count),
          "the number of elements of metadata 'k' reads as " + found);
    }
    refused(
        new Bytes().start(1, 0).int64(count).zeros(30), "the name of tensor 0 reads as " + found);
    refused(new Bytes().start(1, 0).tensor("t", count, 0).aligned().zeros(100), "tensor 't'");
    refused(new Bytes().start(1, 0).tensor("t", 4, count).aligned().zeros(100), "tensor 't'");
  }

  @Test
  void deepArraysAreRefused() throws IOException {
    Bytes bytes = new Bytes().start(0, 1).text("k").int32(9);
    for (int i = 0; i < 100_000; i++) {
      bytes.int32(9).int64(1);
    }
    refused(bytes.zeros(12), "more than 4 levels of arrays");
  }

  @Test
  void unsoundDirectoriesAreRefused() throws IOException {
    refused(
        new Bytes().start(2, 0).tensor("a", 16, 0).tensor("b", 16, 32).aligned().zeros(96),
        "tensor 'b' begins at 32: but tensor 'a' ends after that");
    refused(
        new Bytes().start(2, 0).tensor("a", 8, 0).tensor("a", 8, 32).aligned().zeros(96),
        "tensor 'a' stands twice");
    refused(
        new Bytes().start(1, 0).tensor("a", 8, 4).aligned().zeros(96),
        "expected a multiple of the alignment 32");
    refused(
        new Bytes().start(1, 0).tensor("a", 8, 64).aligned().zeros(95),
        "takes 32 bytes from 64 on: but the file holds 95 bytes");
    refused(new Bytes().start(1, 0).tensor("a", 8, 0), "the file holds 0 bytes");
    refused(
        new Bytes().start(1, 0).text("a").int32(5).zeros(100), "has 5 dimensions: expected 1 to 4");
    refused(
        new Bytes().start(1, 0).text("a").int32(1).int64(33).int32(8).int64(0).zeros(100),
        "rows of 33 values: expected a multiple of 32, the block of Q8_0");
    refused(
        new Bytes().start(1, 0).text("a").int32(1).int64(256).int32(23).int64(0).zeros(900),
        "tensor 'a' is of type IQ4_XS, which is not supported: only F32, F16,");
    refused(
        new Bytes().start(1, 0).text("a").int32(2).int64(1L << 62).int64(1L << 62).zeros(99),
        "fewer than 2^60 elements");
    refused(
        new Bytes().start(0, 1).text("general.alignment").int32(4).int32(24).zeros(99),
        "general.alignment is 24: expected a power of two");
    refused(new Bytes().start(0, 1).text("k").int32(13).zeros(9), "has the type 13");
    refused(
        new Bytes().start(0, 2).text("k").int32(7).zeros(1).text("k").int32(7).zeros(1),
        "metadata 'k' stands twice");
  }

  @Test
  void otherFilesAreRefused() throws IOException {
    refused(new Bytes(), "the file ends in its magic number");
    refused(new Bytes().raw("PK\3\4 a zip file"), "expected a GGUF file");
    refused(new Bytes().raw("GGUF").int32(1).zeros(16), "version 1: expected version 2 or 3");
    refused(new Bytes().raw("GGUF").int32(3 << 24).zeros(16), "which is a big-endian file");
    assertThrows(NoSuchFileException.class, () -> GgufFile.open(folder.resolve("none.gguf")));
  }

  @Test
  void version2IsReadToo() throws IOException {
    byte[] bytes = Files.readAllBytes(FILE);
    bytes[4] = 2;
    try (GgufFile file = GgufFile.open(Files.write(folder.resolve("v2.gguf"), bytes));
        GgufFile same = GgufFile.open(FILE)) {
      assertEquals(same.tensors(), file.tensors());
      assertArrayEquals(same.tensor("Q6_K").toFloats(), file.tensor("Q6_K").toFloats());
    }
  }

  @Test
  void aFileWithoutTensorsIsSound() throws IOException {
    Path path = folder.resolve("empty.gguf");
    Files.write(path, new Bytes().start(0, 0).out.toByteArray());
    try (GgufFile file = GgufFile.open(path)) {
      assertEquals(0, file.tensors().size());
    }
  }
}
