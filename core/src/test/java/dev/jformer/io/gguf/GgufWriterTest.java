package dev.jformer.io.gguf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class GgufWriterTest {
  @TempDir Path folder;

  @Test
  void whatIsWrittenIsReadBack() throws IOException {
    Path path = folder.resolve("made.gguf");
    Tensor rows = Tensor.rand(3, 96).sub(0.5);
    Tensor long1 = Tensor.rand(70_000).to(DType.FLOAT64);
    new GgufWriter()
        .text("text", "ä")
        .integer("size", 7)
        .number("number", 0.5)
        .flag("flag", true)
        .strings("strings", List.of("", "b"))
        .integers("integers", -1, 2)
        .numbers("numbers", 1.5f)
        .tensor("rows", GgufType.F32, rows)
        .tensor("odd", GgufType.F16, rows.narrow(1, 0, 5))
        .tensor("blocks", GgufType.Q8_0, rows)
        .tensor("long", GgufType.F32, long1)
        .write(path);
    try (GgufFile file = GgufFile.open(path)) {
      GgufMetadata metadata = file.metadata();
      assertEquals("ä", metadata.text("text"));
      assertEquals(7, metadata.size("size"));
      assertEquals(0.5, metadata.number("number", 0));
      assertTrue(metadata.flag("flag", false));
      assertEquals(List.of("", "b"), metadata.strings("strings"));
      assertArrayEquals(new int[] {-1, 2}, metadata.integers("integers"));
      assertArrayEquals(new float[] {1.5f}, metadata.numbers("numbers"));
      assertArrayEquals(rows.toFloats(), file.tensor("rows").toFloats());
      assertArrayEquals(long1.to(DType.FLOAT32).toFloats(), file.tensor("long").toFloats());
      assertArrayEquals(
          rows.narrow(1, 0, 5).to(DType.FLOAT16).to(DType.FLOAT32).toFloats(),
          file.tensor("odd").to(DType.FLOAT32).toFloats());
      assertTrue(rows.sub(file.tensor("blocks")).abs().max().item() <= 0.5 / 127 / 2 * 1.01);
    }
  }

  /** Python's gguf quantized the same values. */
  @ParameterizedTest
  @ValueSource(strings = {"F32", "F16", "Q8_0"})
  void quantizesAsPythonDoes(String name) throws IOException {
    GgufType type = GgufType.valueOf(name);
    Path path = folder.resolve("made.gguf");
    try (GgufFile theirs = GgufFile.open(GgufFileTest.FILE)) {
      new GgufWriter().tensor("values", type, theirs.tensor("F32")).write(path);
      try (GgufFile ours = GgufFile.open(path)) {
        assertArrayEquals(
            theirs.tensor(name).to(DType.FLOAT32).toFloats(),
            ours.tensor("values").to(DType.FLOAT32).toFloats());
      }
    }
  }

  @Test
  void rowsMustBeWholeBlocks() {
    Tensor rows = Tensor.zeros(2, 33);
    assertThrows(
        IllegalArgumentException.class, () -> new GgufWriter().tensor("rows", GgufType.Q8_0, rows));
    assertThrows(
        IllegalArgumentException.class,
        () -> new GgufWriter().tensor("rows", GgufType.Q4_0, Tensor.zeros(2, 32)));
  }
}
