package dev.jformer.mixer.sparse;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Alibi;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.position.Rope;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class ProbSparseAttentionTest {
  private static final long SEED = 5;

  private static TokenMixer mixer(
      BlockContext context, int heads, int factor, Position.Config position) {
    int headDim = context.width() / heads;
    Position built = position.build(context.width(), heads, headDim, context.length());
    return new ProbSparseAttention.Config(heads, factor).build(context, built);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void withEveryQueryChosenItIsSoftmaxAttention(boolean causal) {
    BlockContext context = causal ? Sites.causal(8) : Sites.bidirectional(8);
    TokenMixer sparse = mixer(context, 2, 50, new Rope.Config());
    TokenMixer full =
        new SoftmaxAttention.Config(2, 0).build(context, new Rope.Config().build(8, 2, 4, 64));
    full.parameters().forEach((name, p) -> p.copyFrom(sparse.parameters().get(name).value()));
    Tensor x = Tensor.randn(2, 17, 8);
    assertClose(full.forward(x, null).detach(), sparse.forward(x, null).detach(), 1e-6);
    Tensor one = Tensor.randn(2, 1, 8);
    assertClose(full.forward(one, null).detach(), sparse.forward(one, null).detach(), 1e-6);
  }

  /** Heads, factor, tokens, width. */
  @ParameterizedTest
  @CsvSource({"1, 1, 12, 3", "2, 1, 20, 6", "2, 2, 15, 4"})
  void matchesItsDefinition(int heads, int factor, int length, int width) {
    for (boolean causal : new boolean[] {true, false}) {
      BlockContext context = causal ? Sites.causal(width) : Sites.bidirectional(width);
      TokenMixer mixer = mixer(context, heads, factor, new NoPosition.Config());
      int chosen = factor * (int) Math.ceil(Math.log(length));
      Random.seed(SEED);
      int[] drawn = Tensor.randint(0, length, (long) length * chosen).toInts();
      Tensor x = Tensor.randn(2, length, width).to(DType.FLOAT64);
      Naive naive =
          (tokens, w) -> {
            double[][] qkv = Loops.linear(tokens, w, "qkv");
            double[][] mixed = new double[length][width];
            for (int h = 0; h < heads; h++) {
              int d = width / heads;
              head(
                  Loops.columns(qkv, h * d, (h + 1) * d),
                  Loops.columns(qkv, width + h * d, width + (h + 1) * d),
                  Loops.columns(qkv, 2 * width + h * d, 2 * width + (h + 1) * d),
                  drawn,
                  chosen,
                  causal,
                  mixed,
                  h * d);
            }
            return Loops.linear(mixed, w, "out");
          };
      ModuleChecks.matches(
          mixer,
          input -> {
            Random.seed(SEED);
            return mixer.forward(input, null);
          },
          naive,
          x);
    }
  }

  private static void head(
      double[][] q,
      double[][] k,
      double[][] v,
      int[] drawn,
      int chosen,
      boolean causal,
      double[][] result,
      int at) {
    int length = q.length;
    int d = q[0].length;
    double[] spread = new double[length];
    for (int t = 0; t < length; t++) {
      double largest = Double.NEGATIVE_INFINITY;
      double sum = 0;
      for (int i = 0; i < chosen; i++) {
        double score = dot(q[t], k[drawn[t * chosen + i]]);
        largest = Math.max(largest, score);
        sum += score;
      }
      spread[t] = largest - sum / chosen;
    }
    int[] order =
        IntStream.range(0, length)
            .boxed()
            .sorted(Comparator.comparingDouble(t -> -spread[t]))
            .mapToInt(Integer::intValue)
            .toArray();
    int[] top = Arrays.copyOf(order, chosen);
    for (int t = 0; t < length; t++) {
      int now = t;
      int seen = causal ? t + 1 : length;
      double[] weights = new double[seen];
      if (Arrays.stream(top).anyMatch(each -> each == now)) {
        for (int s = 0; s < seen; s++) {
          weights[s] = dot(q[t], k[s]) / Math.sqrt(d);
        }
        weights = Loops.softmax(weights);
      } else {
        Arrays.fill(weights, causal ? 1 : 1.0 / length);
      }
      for (int s = 0; s < seen; s++) {
        for (int i = 0; i < d; i++) {
          result[t][at + i] += weights[s] * v[s][i];
        }
      }
    }
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatStandsInPaddingChangesNothing(boolean causal) {
    BlockContext context = causal ? Sites.causal(6) : Sites.bidirectional(6);
    TokenMixer mixer = mixer(context, 2, 1, new NoPosition.Config());
    try (Mode mode = Autograd.noGrad()) {
      Tensor paddingMask = Tensor.arange(0, 14).lt(9L).unsqueeze(0).expand(2, 14);
      Tensor x = Tensor.randn(2, 14, 6);
      Tensor other = Tensor.cat(1, x.narrow(1, 0, 9), Tensor.randn(2, 5, 6).mul(100));
      Random.seed(SEED);
      Tensor y = mixer.forward(x, paddingMask);
      Random.seed(SEED);
      Tensor z = mixer.forward(other, paddingMask);
      assertTrue(y.narrow(1, 0, 9).sameAs(z.narrow(1, 0, 9)));
      assertTrue(z.isFinite().all());
    }
  }

  @Test
  void samplesInPartsAreTheSameSamples() {
    // More numbers than are looked at together: 4·4·32·(5·8) a query.
    TokenMixer mixer = mixer(Sites.bidirectional(128), 4, 5, new NoPosition.Config());
    try (Mode mode = Autograd.noGrad()) {
      Tensor x = Tensor.randn(4, 1500, 128);
      Random.seed(SEED);
      Tensor y = mixer.forward(x, null);
      Random.seed(SEED);
      assertTrue(y.sameAs(mixer.forward(x, null)), "the seed says all");
      assertTrue(y.isFinite().all());
    }
  }

  @Test
  void refusesWhatItCannotDo() {
    assertThrows(IllegalArgumentException.class, () -> new ProbSparseAttention.Config(2, 0));
    assertThrows(
        IllegalArgumentException.class, () -> mixer(Sites.causal(8), 2, 5, new Alibi.Config()));
    assertThrows(
        UnsupportedOperationException.class,
        () -> mixer(Sites.causal(8), 2, 5, new NoPosition.Config()).start(1, 9));
    assertEquals(
        new ProbSparseAttention.Config(4, 3),
        Configs.parse(
            "{\"type\":\"prob-sparse\",\"heads\":4,\"factor\":3}", TokenMixer.Config.class));
  }
}
