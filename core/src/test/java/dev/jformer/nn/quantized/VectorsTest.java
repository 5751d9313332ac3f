package dev.jformer.nn.quantized;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.nn.Initializer;
import dev.jformer.nn.RowFunction;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.IntegerBlocks;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Layers of few bits in a process with the optimising compiler, as the tests' own has none. */
class VectorsTest {
  private static final int OUT = 700;
  private static final int IN = 416;

  @TempDir Path folder;

  /** What a process prints: the largest errors, and what layers keep after one and five rows. */
  private List<Double> run(String option) throws IOException, InterruptedException {
    Path output = folder.resolve("output" + option);
    Path errors = folder.resolve("errors" + option);
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules",
                "jdk.incubator.vector",
                "-Xmx512m",
                option,
                "-Djformer.threads=2",
                "-cp",
                System.getProperty("java.class.path"),
                Program.class.getName())
            .redirectError(errors.toFile())
            .redirectOutput(output.toFile())
            .start();
    int status = process.waitFor();
    String text = Files.readString(output, StandardCharsets.UTF_8);
    assertEquals(0, status, text + Files.readString(errors, StandardCharsets.UTF_8));
    return text.lines().map(Double::valueOf).toList();
  }

  @Test
  void layersUseThemAndComputeTheSame() throws IOException, InterruptedException {
    List<Double> with = run("-Djformer.vectors=true");
    List<Double> without = run("-Djformer.vectors=false");
    assertEquals(5, with.size(), with.toString());
    assertEquals(4.0 * OUT, with.get(2), "one row needs the scales, but no copy of 8-bit weights");
    assertEquals(0, with.get(4), "and nothing beside blocks");
    assertTrue(without.get(4) > 0, without.toString());
    assertTrue(with.get(0) < 1e-4, "8 bits, errors " + with.get(0));
    assertTrue(with.get(1) < 1e-5, "blocks, errors " + with.get(1));
    assertTrue(without.get(0) < 1e-3, "8 bits, errors " + without.get(0));
    assertTrue(without.get(1) < 1e-5, "blocks, errors " + without.get(1));
    assertTrue(without.get(2) > OUT * IN, "one row needs a copy in panels");
    // Where oneDNN is used, more rows need its copy.
    assertEquals(with.get(3) > OUT * IN, without.get(3) > 2 * OUT * IN);
  }

  /** The process. */
  static final class Program {
    private Program() {}

    public static void main(String[] args) {
      try (Scope scope = Scope.open();
          Mode mode = Autograd.inference()) {
        WeightInt8Linear eight =
            new WeightInt8Linear.Config().build(IN, OUT, true, Initializer.normal(0.02));
        eight.quantize(Tensor.randn(OUT, IN));
        BlockLinear blocks = new BlockLinear.Config().build(IN, OUT, true, null);
        blocks.store(IntegerBlocks.nearest(Tensor.randn(OUT, IN)));
        eight.train(false);
        blocks.train(false);
        double ofEight = error(eight, 1);
        double kept = eight.derivedBytes();
        double ofBlocks = error(blocks, 1);
        double keptByBlocks = blocks.derivedBytes();
        ofBlocks = Math.max(ofBlocks, error(blocks, 5));
        ofEight = Math.max(ofEight, error(eight, 4));
        error(eight, 5); // rounds activations
        System.out.println(ofEight);
        System.out.println(ofBlocks);
        System.out.println(kept);
        System.out.println((double) eight.derivedBytes());
        System.out.println(keptByBlocks);
      }
    }

    /** The largest difference from floats, of a layer and of its function of rows. */
    private static double error(QuantizedRowsLinear layer, int rows) {
      Tensor x = Tensor.randn(rows, IN);
      Tensor expected = x.matmul(layer.dequantized().t());
      float[] y = new float[rows * OUT];
      RowFunction function = layer.rowFunction();
      double scale = expected.abs().max().item();
      double ofLayer = layer.forward(x).sub(expected).abs().max().item();
      function.apply(x.toFloats(), y, rows);
      double ofRows = Tensor.of(y, rows, OUT).sub(expected).abs().max().item();
      return Math.max(ofLayer, ofRows) / scale;
    }
  }
}
