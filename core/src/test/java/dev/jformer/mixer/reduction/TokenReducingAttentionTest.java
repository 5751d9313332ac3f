package dev.jformer.mixer.reduction;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

@ExtendWith(Scoped.class)
class TokenReducingAttentionTest {
  static Stream<TokenReducer> rules() {
    return Stream.of(
        new ZeroTprune(),
        new ZeroTprune(List.of(3, 2, 1), 0, 9, 0),
        new ZeroTprune(List.of(3, 2, 1), 0, 9, 1),
        new ClassAttentionReducer(),
        new RandomTokenReducer(),
        new TokenMerging());
  }

  private static TokenReducingAttention mixer(TokenReducer rule, double share) {
    var config = new TokenReducingAttention.Config(2, 0, List.of(0), share, true, rule);
    var mixer =
        (TokenReducingAttention)
            config.build(Sites.bidirectional(8), new dev.jformer.position.NoPosition());
    mixer.parameters().values().forEach(p -> p.value().detach().normal_(0, 0.6));
    mixer.train(false);
    return mixer;
  }

  // ---- The rules in plain loops over one sequence

  private static double[] votes(double[][] a, boolean[] in, boolean first, int times) {
    int n = a.length;
    int count = 0;
    for (boolean b : in) {
      count += b ? 1 : 0;
    }
    double[] s = new double[n];
    for (int i = 0; i < n; i++) {
      s[i] = in[i] ? i == 0 && first ? Math.sqrt(count) : 1 : 0;
    }
    for (int t = 0; t < times; t++) {
      double[] next = new double[n];
      for (int voter = 0; voter < n; voter++) {
        for (int i = 0; i < n; i++) {
          next[i] += in[i] && in[voter] ? a[voter][i] * s[voter] : 0;
        }
      }
      s = next;
    }
    double sum = 0;
    for (double x : s) {
      sum += x;
    }
    for (int i = 0; i < n; i++) {
      s[i] /= sum;
    }
    return s;
  }

  private static double[] importance(
      ZeroTprune rule, double[][][] a, boolean[] in, boolean first, int times) {
    int n = a[0].length;
    List<double[]> all = new ArrayList<>();
    List<double[]> counting = new ArrayList<>();
    for (double[][] head : a) {
      double[] s = votes(head, in, first, times);
      double count = 0;
      double variance = 0;
      for (int i = 0; i < n; i++) {
        count += in[i] ? 1 : 0;
      }
      for (int i = 0; i < n; i++) {
        variance += in[i] ? Math.pow(count * s[i] - 1, 2) / count : 0;
      }
      all.add(s);
      if (variance >= rule.low() && variance <= rule.high()) {
        counting.add(s);
      }
    }
    List<double[]> used = counting.isEmpty() ? all : counting;
    double[] result = new double[n];
    for (int i = 0; i < n; i++) {
      double sum = 0;
      for (double[] s : used) {
        sum += s[i] * s[i];
      }
      result[i] = Math.sqrt(sum / used.size());
    }
    return result;
  }

  private static double cosine(double[][][] keys, int i, int j) {
    double dot = 0;
    double a = 0;
    double b = 0;
    for (double[][] head : keys) {
      for (int d = 0; d < head[i].length; d++) {
        dot += head[i][d] * head[j][d];
        a += head[i][d] * head[i][d];
        b += head[j][d] * head[j][d];
      }
    }
    return dot / Math.sqrt(a * b);
  }

  private static List<Integer> stay(
      ZeroTprune rule, double[][][] a, double[][][] keys, double share, int layer, int layers) {
    int n = a[0].length;
    int staying = (int) Math.ceil(share * n - 1e-9);
    boolean[] in = new boolean[n];
    java.util.Arrays.fill(in, true);
    int leaving = (int) Math.floor(rule.similar() * (n - staying));
    if (rule.similar() > 0) {
      double[] early = importance(rule, a, in, true, 1);
      early[0] = Double.MAX_VALUE;
      List<Integer> order =
          IntStream.range(0, n).boxed().sorted(Comparator.comparingDouble(i -> -early[i])).toList();
      List<Integer> better = order.subList(0, n / 2);
      order.subList(n / 2, n).stream()
          .sorted(
              Comparator.comparingDouble(
                  i -> -better.stream().mapToDouble(j -> cosine(keys, i, j)).max().orElseThrow()))
          .limit(leaving)
          .forEach(i -> in[i] = false);
    }
    int times = rule.rounds().get(Math.min(2, 3 * layer / layers));
    double[] scores = importance(rule, a, in, true, times);
    scores[0] = Double.MAX_VALUE;
    return IntStream.range(0, n)
        .boxed()
        .filter(i -> in[i])
        .sorted(Comparator.comparingDouble(i -> -scores[i]))
        .limit(staying)
        .sorted()
        .toList();
  }

  private static double[][][] heads(Tensor x) {
    int heads = (int) x.size(0);
    double[][][] all = new double[heads][(int) x.size(1)][];
    for (int h = 0; h < heads; h++) {
      for (int t = 0; t < all[h].length; t++) {
        all[h][t] = x.select(0, h).select(0, t).toDoubles();
      }
    }
    return all;
  }

  @ParameterizedTest
  @CsvSource({
    "0.7, 0.3333, 0.01, 0.7",
    "0.5, 0.5, 0, 100",
    "0.8, 0, 0.01, 0.7",
    "0.5, 1, 0, 0.02",
    "0.4, 0.3, 50, 60"
  })
  void zeroTpruneIsItsDefinition(double share, double similar, double low, double high) {
    ZeroTprune rule = new ZeroTprune(List.of(6, 3, 1), low, high, similar);
    for (int layer = 0; layer < 3; layer++) {
      Tensor attention = Tensor.randn(2, 3, 11, 11).mul(1.5).softmax(3);
      Tensor key = Tensor.randn(2, 3, 11, 4);
      var scene = new TokenReducer.ReductionInput(attention, key, null, share, true, layer, 3);
      Tensor scores = rule.reduce(scene).scores();
      scores.narrow(1, 0, 1).fill_(100);
      int staying = (int) Math.ceil(share * 11 - 1e-9);
      for (int b = 0; b < 2; b++) {
        List<Integer> expected =
            stay(rule, heads(attention.select(0, b)), heads(key.select(0, b)), share, layer, 3);
        long[] best =
            scores.select(0, b).topK(staying, 0).indices().sort(0, false).values().toLongs();
        assertEquals(
            expected.stream().map(Integer::longValue).toList(),
            java.util.Arrays.stream(best).boxed().toList());
      }
    }
  }

  @Test
  void mergingIsAWeightedMean() {
    TokenReducingAttention mixer = mixer(new TokenMerging(), 0.6);
    Tensor x = Tensor.randn(1, 9, 8);
    Tensor sizes = Tensor.of(new float[] {1, 2, 1, 1, 3, 1, 1, 1, 2}, 1, 9);
    var thinned = mixer.reduce(x, new TokenBatch(x, null, sizes));
    TokenBatch left = thinned.join(x, (tokens, mixture) -> tokens);
    assertEquals(6, left.x().size(1));
    assertEquals(sizes.sum().item(), left.sizes().sum().item(), 1e-6);
    long[] into = thinned.into().toLongs();
    double[] weights = sizes.toDoubles();
    for (int place = 0; place < 6; place++) {
      double[] sum = new double[8];
      double total = 0;
      for (int t = 0; t < 9; t++) {
        if (into[t] == place) {
          double[] row = x.select(0, 0).select(0, t).toDoubles();
          total += weights[t];
          for (int d = 0; d < 8; d++) {
            sum[d] += weights[t] * row[d];
          }
        }
      }
      for (int d = 0; d < 8; d++) {
        sum[d] /= total;
      }
      assertClose(sum, left.x().select(0, 0).select(0, place), 1e-5);
    }
    // Three of the even places but the first have joined odd ones.
    assertEquals(1, IntStream.range(0, 9).filter(t -> into[t] == 0).count());
    assertClose(x.mul(sizes.unsqueeze(2)).sum(1, false).div(sizes.sum()), left.mean(), 1e-5);
  }

  @ParameterizedTest
  @MethodSource("rules")
  void aSequenceIsThinnedAsItWouldBeAlone(TokenReducer rule) {
    Random.seed(4);
    TokenReducingAttention mixer = mixer(rule, 0.6);
    Tensor x = Tensor.randn(3, 12, 8);
    int[] lengths = {12, 7, 3};
    boolean[] flags = new boolean[36];
    for (int b = 0; b < 3; b++) {
      for (int t = 0; t < lengths[b]; t++) {
        flags[12 * b + t] = true;
      }
    }
    Tensor paddingMask = Tensor.of(flags, 3, 12);
    TokenBatch together =
        mixer.reduce(x, new TokenBatch(x, paddingMask, null)).join(x, (tokens, mixture) -> tokens);
    assertEquals(8, together.x().size(1));
    for (int b = 0; b < 3; b++) {
      Tensor own = x.narrow(0, b, 1).narrow(1, 0, lengths[b]);
      TokenBatch alone =
          mixer.reduce(own, new TokenBatch(own, null, null)).join(own, (tokens, mixture) -> tokens);
      int left = (int) Math.ceil(0.6 * lengths[b]);
      assertEquals(left, alone.x().size(1));
      Tensor kept = together.paddingMask().select(0, b);
      assertEquals(left, kept.to(DType.INT64).sum().itemLong());
      Tensor places = kept.nonzero().squeeze(1);
      assertClose(alone.x().select(0, 0), together.x().select(0, b).indexSelect(0, places), 1e-5);
      assertClose(alone.mean().select(0, 0), together.mean().select(0, b), 1e-5);
    }
  }

  @ParameterizedTest
  @MethodSource("rules")
  void mixesAllTokensAsSoftmaxAttention(TokenReducer rule) {
    TokenReducingAttention mixer = mixer(rule, 0.6);
    Tensor x = Tensor.randn(2, 10, 8);
    var plain =
        (SoftmaxAttention)
            new SoftmaxAttention.Config(2, 0)
                .build(Sites.bidirectional(8), new dev.jformer.position.NoPosition());
    plain
        .parameters()
        .forEach((name, p) -> p.copyFrom(mixer.parameters().get(name).value().detach()));
    plain.train(false);
    var thinned = mixer.reduce(x, new TokenBatch(x, null, null));
    if (thinned.into() == null) {
      assertEquals(6, thinned.stay().size(1));
      for (int b = 0; b < 2; b++) { // what those that leave would be given is not computed
        Tensor given = plain.forward(x, null).select(0, b);
        Tensor rows = given.indexSelect(0, thinned.stay().select(0, b));
        assertClose(rows, thinned.mixture().select(0, b), 1e-5);
      }
    } else {
      assertClose(plain.forward(x, null), thinned.mixture(), 1e-5);
    }
    assertSame(plain.forward(x, null), mixer.forward(x, null), "where no token leaves");
    var all = mixer(rule, 1).reduce(x, new TokenBatch(x, null, null));
    assertSame(x, all.join(x, (tokens, mixture) -> tokens).x(), "with a share of 1");
  }

  /** The order of tokens is of no account where there are no positions. */
  @Test
  void zeroTpruneFollowsThePermutationOfItsTokens() {
    TokenReducingAttention mixer = mixer(new ZeroTprune(), 0.5);
    Tensor x = Tensor.randn(1, 12, 8);
    Tensor rest = Tensor.randperm(11).add(1L);
    Tensor order = Tensor.cat(0, Tensor.of(new long[] {0}, 1), rest);
    Tensor moved = x.indexSelect(1, order);
    assertClose(
        mixer.reduce(x, new TokenBatch(x, null, null)).join(x, (tokens, mixture) -> tokens).mean(),
        mixer
            .reduce(moved, new TokenBatch(moved, null, null))
            .join(moved, (tokens, mixture) -> tokens)
            .mean(),
        1e-5);
  }

  @Test
  void refusesWhatCannotBe() {
    assertMessage("0.51", () -> mixer(new TokenMerging(), 0.4));
    assertMessage("share is 0.0", () -> mixer(new ZeroTprune(), 0));
    assertMessage("rounds", () -> new ZeroTprune(List.of(1, 2), 0, 1, 0.5));
    var config = new TokenReducingAttention.Config();
    assertMessage(
        "causal model", () -> config.build(Sites.causal(8), new dev.jformer.position.NoPosition()));
    assertMessage(
        "blocks",
        () ->
            new TokenReducingAttention.Config(2, 0, List.of(9), 0.9, true, new ZeroTprune())
                .build(Sites.bidirectional(8), new dev.jformer.position.NoPosition()));
    assertMessage(
        "positions",
        () ->
            new TokenReducingAttention.Config(2, 0, List.of(0), 0.9, true, new ZeroTprune())
                .build(
                    Sites.bidirectional(8),
                    new dev.jformer.position.Rope.Config().build(8, 2, 4, 16)));
    var scene =
        new TokenReducer.ReductionInput(
            Tensor.rand(1, 1, 4, 4), Tensor.rand(1, 1, 4, 2), null, 0.5, false, 0, 1);
    assertMessage("class token", () -> new ClassAttentionReducer().reduce(scene));
  }

  private static void assertMessage(String part, Runnable action) {
    var error = assertThrows(IllegalArgumentException.class, action::run);
    assertTrue(error.getMessage().contains(part), error.getMessage());
  }
}
