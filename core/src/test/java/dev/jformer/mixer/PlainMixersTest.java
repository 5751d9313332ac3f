package dev.jformer.mixer;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
import dev.jformer.position.NoPosition;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.MixerChecks;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import dev.jformer.testing.Weights;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** MetaFormer's mixers: pooling, convolution, a random matrix, nothing. */
@ExtendWith(Scoped.class)
class PlainMixersTest {
  private static TokenMixer mixer(TokenMixer.Config config, BlockContext context) {
    return config.build(context, new NoPosition());
  }

  private static BlockContext picture(int width, int length, int rows) {
    return new BlockContext(
        width, 0, 2, length, false, true, 0, new BlockContext.Init(), new Linear.Config(), rows);
  }

  private interface Neighbour {
    void at(int token, int across, int down);
  }

  /** Goes through the neighbours of a token that lie inside. */
  private static void around(int t, int length, int rows, int size, boolean causal, Neighbour n) {
    int columns = length / rows;
    int half = size / 2;
    if (causal) {
      for (int back = 0; back < size; back++) {
        if (t - back >= 0) {
          n.at(t - back, size - 1 - back, 0);
        }
      }
      return;
    }
    for (int y = rows == 1 ? 0 : -half; y <= (rows == 1 ? 0 : half); y++) {
      for (int x = -half; x <= half; x++) {
        int row = t / columns + y;
        int column = t % columns + x;
        if (row >= 0 && row < rows && column >= 0 && column < columns) {
          n.at(row * columns + column, x + half, rows == 1 ? 0 : y + half);
        }
      }
    }
  }

  private static Naive pooling(int size, int rows, boolean causal) {
    return (x, w) -> {
      double[][] y = new double[x.length][x[0].length];
      for (int t = 0; t < x.length; t++) {
        int[] count = new int[1];
        double[] sum = y[t];
        around(
            t,
            x.length,
            rows,
            size,
            causal,
            (token, across, down) -> {
              count[0]++;
              for (int i = 0; i < sum.length; i++) {
                sum[i] += x[token][i];
              }
            });
        for (int i = 0; i < sum.length; i++) {
          sum[i] = sum[i] / count[0] - x[t][i];
        }
      }
      return y;
    };
  }

  private static Naive convolution(int size, int rows, boolean causal) {
    return (x, w) -> {
      double[] weight = w.values().get("weight");
      double[][] y = new double[x.length][];
      for (int t = 0; t < x.length; t++) {
        double[] sum = w.vector("bias").clone();
        int each = weight.length / sum.length;
        around(
            t,
            x.length,
            rows,
            size,
            causal,
            (token, across, down) -> {
              for (int i = 0; i < sum.length; i++) {
                sum[i] += weight[i * each + down * size + across] * x[token][i];
              }
            });
        y[t] = sum;
      }
      return y;
    };
  }

  @ParameterizedTest
  @CsvSource({"3, 1, 1", "3, 1, 7", "5, 1, 9", "3, 2, 8", "3, 3, 12", "5, 4, 16", "3, 3, 3"})
  void poolingAndConvolutionMatchTheirDefinitions(int size, int rows, int length) {
    BlockContext context = picture(3, length, rows);
    MixerChecks.matches(
        mixer(new Pooling.Config(size), context), pooling(size, rows, false), length, 3);
    MixerChecks.matches(
        mixer(new DepthwiseConvolution.Config(size), context),
        convolution(size, rows, false),
        length,
        3);
  }

  @ParameterizedTest
  @CsvSource({"1, 3", "3, 1", "3, 7", "5, 9"})
  void causalOnesMatchTheirDefinitions(int size, int length) {
    MixerChecks.matches(
        mixer(new Pooling.Config(size), Sites.causal(3)), pooling(size, 1, true), length, 3);
    MixerChecks.matches(
        mixer(new DepthwiseConvolution.Config(size), Sites.causal(3)),
        convolution(size, 1, true),
        length,
        3);
  }

  @Test
  void theyAreCausalStreamAndIgnorePadding() {
    // A reach of 33 tokens, as the check asks.
    IntFunction<TokenMixer.Config> pooling = Pooling.Config::new;
    IntFunction<TokenMixer.Config> convolution = DepthwiseConvolution.Config::new;
    for (IntFunction<TokenMixer.Config> kind : java.util.List.of(pooling, convolution)) {
      MixerChecks.causal(mixer(kind.apply(35), Sites.causal(4)), 4);
      MixerChecks.streams(mixer(kind.apply(3), Sites.causal(4)), 4);
      MixerChecks.streams(mixer(kind.apply(7), Sites.causal(4)), 4);
      MixerChecks.ignoresPadding(mixer(kind.apply(3), Sites.causal(4)), 4);
      MixerChecks.ignoresPadding(mixer(kind.apply(3), Sites.bidirectional(4)), 4);
    }
    MixerChecks.causal(mixer(new RandomMixer.Config(), Sites.causal(4)), 4);
    MixerChecks.ignoresPadding(mixer(new RandomMixer.Config(), Sites.causal(4)), 4);
    MixerChecks.ignoresPadding(mixer(new RandomMixer.Config(), Sites.bidirectional(4)), 4);
  }

  @Test
  void theRandomMatrixIsFixedAndItsRowsSumToOne() {
    for (boolean causal : new boolean[] {true, false}) {
      TokenMixer mixer =
          mixer(new RandomMixer.Config(), causal ? Sites.causal(4) : Sites.bidirectional(4));
      assertEquals(0, mixer.parameterCount(), "weights that are trained");
      Naive naive =
          (x, w) -> {
            double[][] logits = w.matrix("logits");
            double[][] y = new double[x.length][x[0].length];
            for (int t = 0; t < x.length; t++) {
              double total = 0;
              for (int s = 0; s < (causal ? t + 1 : x.length); s++) {
                total += Math.exp(logits[t][s]);
              }
              for (int s = 0; s < (causal ? t + 1 : x.length); s++) {
                for (int i = 0; i < x[s].length; i++) {
                  y[t][i] += Math.exp(logits[t][s]) / total * x[s][i];
                }
              }
            }
            return y;
          };
      MixerChecks.matches(mixer, naive, 9, 4);
      assertThrows(
          IllegalArgumentException.class, () -> mixer.forward(Tensor.randn(1, 65, 4), null));
    }
  }

  @Test
  void theIdentityMixesNothing() {
    TokenMixer mixer = mixer(new IdentityMixer.Config(), Sites.causal(4));
    Weights.draw(mixer);
    Tensor x = Tensor.randn(2, 5, 4);
    assertSame(x, mixer.forward(x, null), "what goes in");
    try (TokenMixer.State state = mixer.start(2, 5)) {
      assertClose(x.narrow(1, 0, 2).toDoubles(), mixer.step(x.narrow(1, 0, 2), state), 0);
      assertEquals(2, state.length());
    }
  }
}
