package dev.jformer.mixer.cache;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.ConfigException;
import dev.jformer.config.Configs;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.Attention;
import dev.jformer.mixer.attention.AttentionAccess;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.cache.StaircaseCache.Step;
import dev.jformer.position.Alibi;
import dev.jformer.position.Position;
import dev.jformer.position.Rope;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.MixerChecks;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class StaircaseCacheTest {
  private static final StaircaseCache.Config SMALL =
      new StaircaseCache.Config(4, 4, List.of(new Step(6, 8), new Step(13, 4), new Step(24, 2)));

  // ---- What is kept, one number at a time

  /** Nearest float16 number, by way of float32, as the engine takes float64 there. */
  private static double half(double exact) {
    double x = (float) exact;
    if (x == 0) {
      return 0;
    }
    double ulp = Math.pow(2, Math.max(Math.getExponent(x), -14) - 10);
    return Math.rint(x / ulp) * ulp;
  }

  /** Rounds numbers that share a scale. */
  private static void round(double[] x, int bits) {
    if (bits == 16) {
      for (int i = 0; i < x.length; i++) {
        x[i] = half(x[i]);
      }
      return;
    }
    double least = Double.POSITIVE_INFINITY;
    double most = Double.NEGATIVE_INFINITY;
    for (double value : x) {
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
    int levels = (1 << bits) - 1;
    double low = half(least);
    double scale = half(most / levels - least / levels);
    scale = scale == 0 ? 1 : scale;
    for (int i = 0; i < x.length; i++) {
      x[i] = low + scale * Math.max(0, Math.min(levels, Math.rint((x[i] - low) / scale)));
    }
  }

  /**
   * What is kept of a head [T][d] after all T tokens have come: each group passes all the steps
   * that its age is past, one after the other.
   */
  private static double[][] kept(double[][] head, StaircaseCache.Config config, boolean key) {
    double[][] kept = new double[head.length][];
    for (int t = 0; t < head.length; t++) {
      kept[t] = head[t].clone();
    }
    int g = config.group();
    for (int start = 0; start + g <= head.length; start += g) {
      int age = head.length - (start + g);
      for (Step step : config.steps()) {
        if (age >= step.after()) {
          roundGroup(kept, start, config, key, step.bits());
        }
      }
    }
    return kept;
  }

  private static void roundGroup(
      double[][] x, int start, StaircaseCache.Config config, boolean key, int bits) {
    int d = x[0].length;
    if (key) {
      for (int c = 0; c < d; c++) {
        double[] shared = new double[config.group()];
        for (int t = 0; t < shared.length; t++) {
          shared[t] = x[start + t][c];
        }
        round(shared, bits);
        for (int t = 0; t < shared.length; t++) {
          x[start + t][c] = shared[t];
        }
      }
      return;
    }
    int run = Math.min(config.channels(), d);
    for (int t = start; t < start + config.group(); t++) {
      for (int c = 0; c < d; c += run) {
        double[] shared = java.util.Arrays.copyOfRange(x[t], c, c + run);
        round(shared, bits);
        System.arraycopy(shared, 0, x[t], c, run);
      }
    }
  }

  private static double[] naive(Tensor x, StaircaseCache.Config config, boolean key) {
    int d = (int) x.size(3);
    int tokens = (int) x.size(2);
    double[] flat = x.toDoubles();
    double[] all = new double[flat.length];
    for (int head = 0; head < flat.length / (tokens * d); head++) {
      double[][] rows = new double[tokens][];
      for (int t = 0; t < tokens; t++) {
        int at = (head * tokens + t) * d;
        rows[t] = java.util.Arrays.copyOfRange(flat, at, at + d);
      }
      double[][] kept = kept(rows, config, key);
      for (int t = 0; t < tokens; t++) {
        System.arraycopy(kept[t], 0, all, (head * tokens + t) * d, d);
      }
    }
    return all;
  }

  /** All that a cache holds, as tokens that come next would see it. */
  private static Cache.Pair held(Cache cache, long heads, long d, DType dtype) {
    Tensor none = Tensor.zeros(dtype, 2, heads, 1, d);
    Cache.Pair all = cache.append(none, none);
    long before = all.keys().size(2) - 1;
    return new Cache.Pair(all.keys().narrow(2, 0, before), all.values().narrow(2, 0, before));
  }

  private static Cache fed(StaircaseCache.Config config, Tensor k, Tensor v, int... chunks) {
    Cache cache = config.start(2, k.size(1), k.size(2) + 1, k.size(3));
    long next = 0;
    for (int chunk : chunks) {
      cache.append(k.narrow(2, next, chunk), v.narrow(2, next, chunk));
      next += chunk;
    }
    assertEquals(k.size(2), cache.length());
    return cache;
  }

  private static int[] ones(int count) {
    int[] ones = new int[count];
    java.util.Arrays.fill(ones, 1);
    return ones;
  }

  static List<StaircaseCache.Config> configs() {
    return List.of(
        SMALL,
        new StaircaseCache.Config(4, 100, List.of(new Step(0, 8), new Step(1, 2))),
        new StaircaseCache.Config(8, 2, List.of(new Step(5, 4))),
        new StaircaseCache.Config(8, 8, List.of(new Step(3, 16), new Step(9, 8))),
        new StaircaseCache.Config(12, 4, List.of(new Step(1, 2))));
  }

  /** In float64, so that rounding falls the same way; whatever the chunks. */
  @ParameterizedTest
  @org.junit.jupiter.params.provider.MethodSource("configs")
  void keepsWhatTheDefinitionSaysWhateverTheChunks(StaircaseCache.Config config) {
    for (int tokens : new int[] {1, 5, 11, 40}) {
      Tensor k = Tensor.randn(2, 3, tokens, 8).to(DType.FLOAT64);
      Tensor v = Tensor.randn(2, 3, tokens, 8).to(DType.FLOAT64).mul(5);
      double[] keys = naive(k, config, true);
      double[] values = naive(v, config, false);
      List<int[]> plans = new ArrayList<>(List.of(ones(tokens), new int[] {tokens}));
      if (tokens == 40) {
        plans.add(new int[] {13, 1, 1, 17, 8});
      }
      Cache.Pair first = null;
      for (int[] plan : plans) {
        try (Cache cache = fed(config, k, v, plan)) {
          long bytes = cache.bytes();
          Cache.Pair held = held(cache, 3, 8, DType.FLOAT64);
          assertClose(keys, held.keys(), 1e-9, "keys");
          assertClose(values, held.values(), 1e-9, "values");
          first = first == null ? held : first;
          assertTrue(first.keys().sameAs(held.keys()), "keys to the bit");
          assertTrue(first.values().sameAs(held.values()), "values to the bit");
          assertTrue(bytes > 0);
        }
      }
    }
  }

  /** A token sees itself and its own chunk as they are, and what came before as it was kept. */
  @Test
  void tokensOfAChunkSeeEachOtherAsTheyAre() {
    Tensor k = Tensor.randn(1, 1, 30, 8);
    Tensor v = Tensor.randn(1, 1, 30, 8);
    StaircaseCache.Config config = new StaircaseCache.Config(4, 8, List.of(new Step(0, 2)));
    try (Cache cache = config.start(1, 1, 30, 8)) {
      Cache.Pair whole = cache.append(k.narrow(2, 0, 20), v.narrow(2, 0, 20));
      assertTrue(whole.keys().sameAs(k.narrow(2, 0, 20)));
      Cache.Pair next = cache.append(k.narrow(2, 20, 10), v.narrow(2, 20, 10));
      assertTrue(next.keys().narrow(2, 20, 10).sameAs(k.narrow(2, 20, 10)));
      Tensor error = next.keys().narrow(2, 0, 20).sub(k.narrow(2, 0, 20)).abs().max();
      assertTrue(error.item() > 0.1, "two bits are coarse");
    }
  }

  // ---- In attention

  private static TokenMixer attention(int heads, int groups, Cache.Config cache, boolean rotary) {
    Position position =
        (rotary ? new Rope.Config() : new Alibi.Config()).build(16, heads, 16 / heads, 64);
    return new SoftmaxAttention.Config(heads, groups, cache).build(Sites.causal(16), position);
  }

  /** Attention of each token to what is kept when it comes, in plain loops. */
  @ParameterizedTest
  @CsvSource({"4, 4", "4, 2", "4, 1"})
  void decodesWithWhatIsKept(int heads, int groups) {
    TokenMixer mixer = attention(heads, groups, SMALL, true);
    mixer
        .parameters()
        .values()
        .forEach(
            p -> p.replace(Tensor.randn(p.value().shape().toArray()).to(DType.FLOAT64).mul(0.4)));
    mixer.train(false);
    int length = 41;
    int d = 16 / heads;
    Tensor x = Tensor.randn(1, length, 16).to(DType.FLOAT64);
    SoftmaxAttention same = (SoftmaxAttention) mixer;
    try (Mode mode = Autograd.noGrad();
        TokenMixer.State state = mixer.start(1, length)) {
      Attention.Heads h = AttentionAccess.heads(same, x);
      Tensor query = same.position().rotate(h.query(), 0);
      double[] q = query.toDoubles();
      Tensor k = same.position().rotate(h.key(), 0).contiguous();
      Tensor v = h.value().contiguous();
      Tensor out = mixer.parameters().get("out.weight").value();
      double[] bias = mixer.parameters().get("out.bias").value().toDoubles();
      double[] w = out.toDoubles();
      for (int t = 0; t < length; t++) {
        // The state before this token, and the token itself as it is.
        double[] mixed = new double[16];
        for (int head = 0; head < heads; head++) {
          int group = head / (heads / groups);
          double[][] keys = rows(k, group, t + 1, d, true);
          double[][] values = rows(v, group, t + 1, d, false);
          double[] p = new double[t + 1];
          double sum = 0;
          for (int s = 0; s <= t; s++) {
            double logit = 0;
            for (int i = 0; i < d; i++) {
              logit += q[(head * length + t) * d + i] * keys[s][i];
            }
            p[s] = Math.exp(logit / Math.sqrt(d));
            sum += p[s];
          }
          for (int s = 0; s <= t; s++) {
            for (int i = 0; i < d; i++) {
              mixed[head * d + i] += p[s] / sum * values[s][i];
            }
          }
        }
        double[] expected = bias.clone();
        for (int o = 0; o < 16; o++) {
          for (int i = 0; i < 16; i++) {
            expected[o] += w[o * 16 + i] * mixed[i];
          }
        }
        Tensor y = mixer.step(x.narrow(1, t, 1), state);
        assertClose(expected, y.reshape(16), 1e-8, "token " + t);
      }
    }
  }

  /** The rows of a group's keys or values when the last of them has just come. */
  private static double[][] rows(Tensor all, int group, int count, int d, boolean key) {
    double[][] before = new double[count - 1][];
    double[] flat = all.select(0, 0).select(0, group).contiguous().toDoubles();
    for (int t = 0; t < count - 1; t++) {
      before[t] = java.util.Arrays.copyOfRange(flat, t * d, (t + 1) * d);
    }
    double[][] rows = new double[count][];
    System.arraycopy(kept(before, SMALL, key), 0, rows, 0, count - 1);
    rows[count - 1] = java.util.Arrays.copyOfRange(flat, (count - 1) * d, count * d);
    return rows;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void withoutOldTokensIsTheFullCacheToTheBit(boolean rotary) {
    StaircaseCache.Config late = new StaircaseCache.Config(4, 4, List.of(new Step(50, 2)));
    TokenMixer plain = attention(4, 2, new KeyValueCache.Config(), rotary);
    TokenMixer staircase = attention(4, 2, late, rotary);
    plain
        .parameters()
        .forEach((name, p) -> staircase.parameters().get(name).copyFrom(p.value().detach()));
    Tensor x = Tensor.randn(2, 50, 16);
    try (Mode mode = Autograd.noGrad();
        TokenMixer.State a = plain.start(2, 50);
        TokenMixer.State b = staircase.start(2, 50)) {
      int next = 0;
      for (int chunk : new int[] {7, 1, 1, 30, 1, 10}) {
        Tensor part = x.narrow(1, next, chunk);
        assertTrue(plain.step(part, a).sameAs(staircase.step(part, b)), "token " + next);
        next += chunk;
      }
    }
    MixerChecks.streams(attention(4, 1, late, rotary), 16);
  }

  /** Sixteen bits lose what float16 loses. */
  @Test
  void sixteenBitsAreNearTheFullCache() {
    StaircaseCache.Config half = new StaircaseCache.Config(4, 4, List.of(new Step(0, 16)));
    MixerChecks.streams(attention(4, 1, half, true), 16, 1e-5);
    Tensor k = Tensor.randn(2, 1, 20, 8);
    Tensor v = Tensor.randn(2, 1, 20, 8);
    try (Cache cache = fed(half, k, v, 20)) {
      Cache.Pair held = held(cache, 1, 8, DType.FLOAT32);
      assertTrue(held.keys().sameAs(k.to(DType.FLOAT16).to(DType.FLOAT32)));
      assertTrue(held.values().sameAs(v.to(DType.FLOAT16).to(DType.FLOAT32)));
    }
  }

  @Test
  void worksInInferenceModeAndOutOfIt() {
    TokenMixer mixer = attention(4, 2, SMALL, true);
    mixer.train(false);
    Tensor x = Tensor.randn(2, 60, 16);
    try (TokenMixer.State state = mixer.start(2, 60)) {
      for (int t = 0; t < 60; t++) {
        try (Mode mode = t % 3 == 0 ? Autograd.inference() : Autograd.noGrad()) {
          assertTrue(mixer.step(x.narrow(1, t, 1), state).isFinite().all());
        }
      }
    }
  }

  // ---- Bytes and errors

  @Test
  void bytesAreThoseOfPackedNumbers() {
    int tokens = 40;
    Tensor k = Tensor.randn(2, 3, tokens, 8);
    try (Cache cache = fed(SMALL, k, k, tokens)) {
      // Ages of groups of 4: 36, 32, 28, 24 in 2 bits; 20, 16 in 4; 12, 8 in 8; the rest is recent.
      long channels = 2 * 3 * 8;
      long numbers = channels * (4 * 4 / 4 + 2 * 4 / 2 + 2 * 4);
      long keyScales = channels * 8 * 2 * 2;
      long valueScales = 2 * 3 * 2 * (8 * 4) * 2 * 2;
      long recent = channels * (6 + 4) * 4;
      assertEquals(2 * (numbers + recent) + keyScales + valueScales, cache.bytes());
    }
  }

  @Test
  void ofConstantsAndHugeNumbersNothingIsLost() {
    Tensor k = Tensor.full(3, DType.FLOAT32, 2, 1, 40, 8);
    Tensor v = Tensor.full(-60000, DType.FLOAT32, 2, 1, 40, 8);
    try (Cache cache = fed(SMALL, k, v, ones(40))) {
      Cache.Pair held = held(cache, 1, 8, DType.FLOAT32);
      assertTrue(held.keys().sameAs(k));
      assertTrue(held.values().sameAs(v));
    }
  }

  @Test
  void goesBackAsFarAsTokensAreKept() {
    Tensor k = Tensor.randn(2, 1, 30, 8);
    try (Cache cache = fed(SMALL, k, k, 30)) {
      cache.truncate(27);
      assertEquals(27, cache.length());
      cache.append(k.narrow(2, 27, 3), k.narrow(2, 27, 3));
      Cache.Pair held = held(cache, 1, 8, DType.FLOAT32);
      assertTrue(held.keys().narrow(2, 24, 6).sameAs(k.narrow(2, 24, 6)));
      cache.truncate(30);
      var error = assertThrows(UnsupportedOperationException.class, () -> cache.truncate(20));
      assertTrue(error.getMessage().contains("first 24"), error.getMessage());
      assertThrows(IllegalArgumentException.class, () -> cache.truncate(-1));
      assertEquals(30, cache.length());
      cache.truncate(0);
      assertEquals(0, cache.length());
      cache.append(k, k);
      Cache.Pair again = held(cache, 1, 8, DType.FLOAT32);
      try (Cache fresh = fed(SMALL, k, k, 30)) {
        assertTrue(again.keys().sameAs(held(fresh, 1, 8, DType.FLOAT32).keys()));
      }
    }
  }

  @Test
  void refusesMoreThanFits() {
    Tensor k = Tensor.randn(2, 1, 31, 8);
    try (Cache cache = fed(SMALL, k.narrow(2, 0, 30), k.narrow(2, 0, 30), 30)) {
      var error =
          assertThrows(
              IllegalArgumentException.class,
              () -> cache.append(k.narrow(2, 0, 2), k.narrow(2, 0, 2)));
      assertTrue(error.getMessage().contains("31 tokens"), error.getMessage());
      assertEquals(30, cache.length());
    }
    var error =
        assertThrows(
            IllegalArgumentException.class,
            () -> new StaircaseCache.Config(4, 3, SMALL.steps()).start(1, 1, 8, 8));
    assertTrue(error.getMessage().contains("channels is 3"), error.getMessage());
  }

  @Test
  void refusesStairsThatDoNotFall() {
    for (String steps :
        new String[] {
          "[]",
          "[{\"after\": -1}]",
          "[{\"bits\": 3}]",
          "[{\"after\": 8, \"bits\": 8}, {\"after\": 8, \"bits\": 4}]",
          "[{\"after\": 8, \"bits\": 4}, {\"after\": 16, \"bits\": 8}]"
        }) {
      assertThrows(
          ConfigException.class,
          () ->
              Configs.parse(
                  "{\"type\": \"staircase\", \"steps\": " + steps + "}", Cache.Config.class),
          steps);
    }
    assertThrows(
        IllegalArgumentException.class, () -> new StaircaseCache.Config(6, 8, SMALL.steps()));
    assertThrows(
        IllegalArgumentException.class, () -> new StaircaseCache.Config(4, 0, SMALL.steps()));
    assertThrows(IllegalArgumentException.class, () -> new SoftmaxAttention.Config(4, 0, null));
  }
}
