package dev.jformer.mixer.linear;

import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
import dev.jformer.position.NoPosition;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.MixerChecks;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import dev.jformer.testing.Weights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class LinformerTest {
  private static TokenMixer mixer(int width, int heads, int rows) {
    BlockContext context =
        new BlockContext(
            width, 0, 2, 14, false, true, 0, new BlockContext.Init(), new Linear.Config());
    return new Linformer.Config(heads, rows).build(context, new NoPosition());
  }

  private record NaiveLinformer(int heads) implements Naive {
    @Override
    public double[][] forward(double[][] x, Weights weights) {
      int width = x[0].length;
      int d = width / heads;
      double[][] qkv = Loops.linear(x, weights, "qkv");
      double[][] keys = along(qkv, weights.matrix("keys"));
      double[][] values = along(qkv, weights.matrix("values"));
      double[][] mixed = new double[x.length][width];
      for (int h = 0; h < heads; h++) {
        for (int t = 0; t < x.length; t++) {
          double[] logits = new double[keys.length];
          for (int r = 0; r < keys.length; r++) {
            for (int i = 0; i < d; i++) {
              logits[r] += qkv[t][h * d + i] * keys[r][width + h * d + i] / Math.sqrt(d);
            }
          }
          double[] p = Loops.softmax(logits);
          for (int r = 0; r < keys.length; r++) {
            for (int i = 0; i < d; i++) {
              mixed[t][h * d + i] += p[r] * values[r][2 * width + h * d + i];
            }
          }
        }
      }
      return Loops.linear(mixed, weights, "out");
    }

    private static double[][] along(double[][] x, double[][] matrix) {
      double[][] rows = new double[matrix.length][x[0].length];
      for (int r = 0; r < matrix.length; r++) {
        for (int t = 0; t < x.length; t++) {
          for (int i = 0; i < x[t].length; i++) {
            rows[r][i] += matrix[r][t] * x[t][i];
          }
        }
      }
      return rows;
    }
  }

  @Test
  void matchesTheDefinition() {
    for (int[] shape : new int[][] {{1, 1, 2, 3}, {2, 14, 4, 5}, {2, 9, 4, 1}}) {
      MixerChecks.matches(
          mixer(shape[2], shape[0], shape[3]), new NaiveLinformer(shape[0]), shape[1], shape[2]);
    }
  }

  @Test
  void ignoresPaddingAndRefusesWhatItCannotDo() {
    MixerChecks.ignoresPadding(mixer(8, 2, 5), 8);
    assertThrows(
        IllegalArgumentException.class,
        () -> new Linformer.Config(2, 4).build(Sites.causal(8), new NoPosition()));
    assertThrows(
        IllegalArgumentException.class, () -> mixer(8, 2, 5).forward(Tensor.randn(1, 15, 8), null));
  }
}
