package dev.jformer.model.inpaint;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(Scoped.class)
class PatchVqVaeTest {
  private static Codec config() {
    return new Codec()
        .with(
            c ->
                c.codes(6)
                    .hiddenCodes(4)
                    .codeWidth(3)
                    .encoderWidth(6)
                    .encoderBlocks(2)
                    .decoderWidth(4)
                    .decoderBlocks(1)
                    .revival(0));
  }

  /** All weights and codes in float64, drawn anew. */
  private static PatchVqVae model(int patch, int channels) {
    PatchVqVae made = Weights.draw(new PatchVqVae(patch, channels, config()));
    made.parameters().values().stream()
        .filter(p -> !p.isTrainable())
        .forEach(p -> p.replace(p.value().to(DType.FLOAT64).copy()));
    return made;
  }

  private static double[] linear(double[] x, double[][] weight, double[] bias) {
    double[] y = bias.clone();
    for (int o = 0; o < y.length; o++) {
      for (int i = 0; i < x.length; i++) {
        y[o] += weight[o][i] * x[i];
      }
    }
    return y;
  }

  private static double[] relu(double[] x) {
    double[] y = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] = Math.max(0, x[i]);
    }
    return y;
  }

  private static double[] encode(double[] patch, Weights w, String at) {
    double[] x = linear(patch, w.matrix(at + "stem.weight"), w.vector(at + "stem.bias"));
    for (int i = 0; i < 2; i++) {
      String block = at + "blocks." + i + ".";
      double[] down =
          linear(relu(x), w.matrix(block + "down.weight"), w.vector(block + "down.bias"));
      double[] up = linear(relu(down), w.matrix(block + "up.weight"), w.vector(block + "up.bias"));
      for (int d = 0; d < x.length; d++) {
        x[d] += up[d];
      }
    }
    return linear(relu(x), w.matrix(at + "head.weight"), w.vector(at + "head.bias"));
  }

  @Test
  void theEncoderIsItsFormula() {
    PatchEncoder encoder = new PatchEncoder(5, config());
    ModuleChecks.matches(
        encoder,
        encoder::forward,
        (x, w) -> Arrays.stream(x).map(patch -> encode(patch, w, "")).toArray(double[][]::new),
        Tensor.randn(2, 3, 5).to(DType.FLOAT64));
  }

  /** Beyond one patch, and not square: the features of a patch have gradients there only. */
  @ParameterizedTest
  @CsvSource({"4,4,4", "8,12,4", "2,6,2", "3,2,1"})
  void nothingOfAPatchReachesTheFeaturesOfAnother(int height, int width, int patch) {
    PatchVqVae model = model(patch, 3);
    int columns = width / patch;
    for (int t = 0; t < height / patch * columns; t++) {
      Tensor image = Tensor.randn(1, 3, height, width).to(DType.FLOAT64).copy().requiresGrad(true);
      model.features(image, null).select(1, t).square().sum().backward();
      double[] gradient = image.grad().toDoubles();
      double inside = 0;
      for (int at = 0; at < gradient.length; at++) {
        int y = at / width % height;
        int x = at % width;
        boolean own = y / patch == t / columns && x / patch == t % columns;
        if (!own) {
          assertEquals(0, gradient[at], "of pixel " + y + ", " + x + " for patch " + t);
        }
        inside += own ? Math.abs(gradient[at]) : 0;
      }
      assertTrue(inside > 0);
    }
  }

  @Test
  void hiddenPixelsAreNotLookedAt() {
    PatchVqVae model = model(4, 1);
    Tensor images = Tensor.randn(2, 1, 8, 12).to(DType.FLOAT64);
    Tensor visible = Tensor.rand(2, 1, 8, 12).lt(0.8);
    Tensor others = images.maskedFill(visible.not(), 7);
    assertSame(model.features(images, visible), model.features(others, visible), "features");
    Tensor vectors = Tensor.randn(2, 6, 3).to(DType.FLOAT64);
    assertSame(model.draw(vectors, images, visible), model.draw(vectors, others, visible), "drawn");
  }

  @Test
  void aPatchWithOneHiddenPixelIsMasked() {
    boolean[] visible = new boolean[8 * 12];
    Arrays.fill(visible, true);
    visible[3 * 12 + 8] = false; // row 0, column 2 of the patches
    visible[4 * 12 + 3] = false; // row 1, column 0
    Tensor masked = model(4, 1).masked(Tensor.of(visible, 1, 1, 8, 12));
    assertArrayEquals(
        new long[] {0, 0, 1, 1, 0, 0}, masked.to(DType.INT64).flatten(0, 1).toLongs());
  }

  // ---- Decoder

  /** A convolution in plain loops: [C][H][W]. */
  private static double[][][] convolve(
      double[][][] x, double[] weight, double[] bias, int kernel, int stride, int padding) {
    int height = (x[0].length + 2 * padding - kernel) / stride + 1;
    int width = (x[0][0].length + 2 * padding - kernel) / stride + 1;
    double[][][] y = new double[bias.length][height][width];
    for (int o = 0; o < bias.length; o++) {
      for (int i = 0; i < height; i++) {
        for (int j = 0; j < width; j++) {
          y[o][i][j] = bias[o];
          for (int c = 0; c < x.length; c++) {
            for (int k = 0; k < kernel * kernel; k++) {
              int row = i * stride - padding + k / kernel;
              int column = j * stride - padding + k % kernel;
              if (row >= 0 && row < x[c].length && column >= 0 && column < x[c][0].length) {
                double w = weight[(o * x.length + c) * kernel * kernel + k];
                y[o][i][j] += w * x[c][row][column];
              }
            }
          }
        }
      }
    }
    return y;
  }

  private static double[][][] map(double[][][] x, Cell cell) {
    double[][][] y = new double[x.length][x[0].length][x[0][0].length];
    for (int c = 0; c < x.length; c++) {
      for (int i = 0; i < x[c].length; i++) {
        for (int j = 0; j < x[c][i].length; j++) {
          y[c][i][j] = cell.of(c, i, j);
        }
      }
    }
    return y;
  }

  private interface Cell {
    double of(int c, int i, int j);
  }

  private static double[][][] relu(double[][][] x) {
    return map(x, (c, i, j) -> Math.max(0, x[c][i][j]));
  }

  private static double[][][] grid(Tensor x) {
    return map(
        new double[(int) x.size(0)][(int) x.size(1)][(int) x.size(2)],
        (c, i, j) -> x.select(0, c).select(0, i).select(0, j).item());
  }

  private static double[][][] convolve(
      double[][][] x, Weights w, String name, int kernel, int stride, int padding) {
    return convolve(
        x, w.vector(name + ".weight"), w.vector(name + ".bias"), kernel, stride, padding);
  }

  @Test
  void theDecoderIsItsFormula() {
    PatchDecoder decoder = Weights.draw(new PatchDecoder(2, 1, config()));
    Weights w = Weights.of(decoder);
    Tensor codes = Tensor.randn(1, 3, 2, 3).to(DType.FLOAT64);
    Tensor visible = Tensor.rand(1, 1, 4, 6).lt(0.8).to(DType.FLOAT64);
    Tensor shown = Tensor.randn(1, 1, 4, 6).to(DType.FLOAT64).mul(visible);
    double[][][] seen = grid(visible.select(0, 0));

    double[][][] fine = convolve(grid(shown.select(0, 0)), w, "reference", 3, 1, 1);
    double[][][] coarse = convolve(relu(fine), w, "down.0", 4, 2, 1);
    double[][][] stem = convolve(grid(codes.select(0, 0)), w, "stem", 3, 1, 1);
    double[][][] inner = convolve(relu(stem), w, "blocks.0.first", 3, 1, 1);
    double[][][] branch = convolve(relu(inner), w, "blocks.0.second", 1, 1, 0);
    double[][][] x =
        map(
            stem,
            (c, i, j) -> {
              boolean whole = true;
              for (int k = 0; k < 4; k++) {
                whole &= seen[0][2 * i + k / 2][2 * j + k % 2] == 1;
              }
              return whole ? coarse[c][i][j] : stem[c][i][j] + branch[c][i][j];
            });
    double[][][] large = map(new double[4][4][6], (c, i, j) -> Math.max(0, x[c][i / 2][j / 2]));
    double[][][] up = convolve(large, w, "up.0", 3, 1, 1);
    double[][][] mixed = map(up, (c, i, j) -> seen[0][i][j] == 1 ? fine[c][i][j] : up[c][i][j]);
    double[][][] expected = convolve(relu(mixed), w, "head", 3, 1, 1);
    double[] flat = Arrays.stream(expected[0]).flatMapToDouble(Arrays::stream).toArray();
    assertClose(flat, decoder.forward(codes, shown, visible), 1e-9);
  }

  // ---- Loss

  @Test
  void theLossIsThatOfColoursEdgesAndCommitment() {
    PatchVqVae model = model(2, 1);
    Tensor images = Tensor.randn(1, 1, 4, 6).to(DType.FLOAT64);
    Tensor erased = Tensor.rand(1, 1, 4, 6).lt(0.9);
    Tensor visible = Tensor.rand(1, 1, 4, 6).lt(0.5);
    Tensor target = images.maskedFill(erased.not(), 0);
    model.train(false);
    Tensor features = model.features(target, null);
    Tensor vectors = model.codebook().lookUp(model.codes(features, model.masked(erased)));
    double[][] y = grid(model.draw(vectors, target, visible).select(0, 0).detach())[0];
    double[][] x = grid(target.select(0, 0))[0];
    double colours = 0;
    double edges = 0;
    for (int i = 0; i < 4; i++) {
      for (int j = 0; j < 6; j++) {
        colours += Math.abs(x[i][j] - y[i][j]) / 24;
      }
    }
    for (int i = 1; i < 3; i++) {
      for (int j = 1; j < 5; j++) {
        double[] sobel = new double[2];
        for (int k = -1; k <= 1; k++) {
          int weight = k == 0 ? 2 : 1;
          sobel[0] += weight * (x[i + k][j + 1] - y[i + k][j + 1]) / 4;
          sobel[0] -= weight * (x[i + k][j - 1] - y[i + k][j - 1]) / 4;
          sobel[1] += weight * (x[i + 1][j + k] - y[i + 1][j + k]) / 4;
          sobel[1] -= weight * (x[i - 1][j + k] - y[i - 1][j + k]) / 4;
        }
        edges += (Math.abs(sobel[0]) + Math.abs(sobel[1])) / 16;
      }
    }
    double commitment = features.sub(vectors).square().mean().item();
    double expected = colours + config().edges() * edges + config().commitment() * commitment;
    assertEquals(expected, model.loss(images, erased, visible).item(), 1e-9);
  }

  /** The gradient passes through the codes as if they were the features. */
  @Test
  void theEncoderLearnsFromWhatIsDrawn() {
    PatchVqVae model = model(2, 1);
    Tensor images = Tensor.randn(2, 1, 4, 6).to(DType.FLOAT64);
    Tensor all = Tensor.ones(2, 1, 4, 6).gt(0);
    Tensor before = model.parameters().get("codebook.vectors").value().copy();
    model.loss(images, all, all.not()).backward();
    for (String name : List.of("encoder.stem.weight", "decoder.stem.weight", "decoder.up.0.bias")) {
      assertTrue(model.parameters().get(name).value().grad().abs().sum().item() > 0, name);
    }
    Tensor after = model.parameters().get("codebook.vectors").value();
    assertTrue(after.sub(before).abs().sum().item() > 0, "the codes move in training");
    model.train(false);
    Tensor still = after.copy();
    model.loss(images, all, all.not());
    assertSame(still, model.parameters().get("codebook.vectors").value(), "not otherwise");
  }
}
