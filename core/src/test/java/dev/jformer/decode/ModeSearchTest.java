package dev.jformer.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.model.CausalLm;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class ModeSearchTest {
  private static final int[] SOURCE = {3, 1, 4, 0};

  /** Any table of probabilities, drawn when a prefix is first asked for. */
  private static class Table implements NextToken {
    private final java.util.Random random;
    private final int vocab;
    private final double spread;
    private final Map<List<Integer>, double[]> drawn = new HashMap<>();

    Table(long seed, int vocab, double spread) {
      this.random = new java.util.Random(seed);
      this.vocab = vocab;
      this.spread = spread;
    }

    @Override
    public int end() {
      return 0;
    }

    @Override
    public double[] logProbabilities(int[] prefix) {
      return drawn.computeIfAbsent(Arrays.stream(prefix).boxed().toList(), key -> draw());
    }

    private double[] draw() {
      double[] x = new double[vocab];
      double sum = 0;
      for (int i = 0; i < vocab; i++) {
        x[i] = spread * random.nextGaussian() - (i == 0 ? 1 : 0);
        sum += Math.exp(x[i]);
      }
      for (int i = 0; i < vocab; i++) {
        x[i] -= Math.log(sum);
      }
      return x;
    }

    @Override
    public void close() {}
  }

  /** All texts of at most so many tokens with their log probabilities. */
  private static Map<List<Integer>, Double> everything(NextToken model, int longest) {
    Map<List<Integer>, Double> all = new HashMap<>();
    everything(model, new int[0], 0, longest, all);
    return all;
  }

  private static void everything(
      NextToken model, int[] prefix, double log, int longest, Map<List<Integer>, Double> all) {
    double[] next = model.logProbabilities(prefix);
    all.put(Arrays.stream(prefix).boxed().toList(), log + next[model.end()]);
    for (int id = 0; id < next.length && prefix.length < longest; id++) {
      if (id != model.end()) {
        int[] longer = Arrays.copyOf(prefix, prefix.length + 1);
        longer[prefix.length] = id;
        everything(model, longer, log + next[id], longest, all);
      }
    }
  }

  private static Map.Entry<List<Integer>, Double> best(Map<List<Integer>, Double> all, int length) {
    return all.entrySet().stream()
        .filter(entry -> length < 0 || entry.getKey().size() == length)
        .max(Map.Entry.comparingByValue())
        .orElseThrow();
  }

  private static void assertIsBest(
      Map<List<Integer>, Double> all, int length, ModeSearch.Found found) {
    Map.Entry<List<Integer>, Double> best = best(all, length);
    assertEquals(best.getKey(), found.ids());
    assertEquals(best.getValue(), found.logProbability(), 1e-5);
    assertTrue(found.exact());
  }

  private static void assertFindsTheBest(NextToken model, int longest) {
    Map<List<Integer>, Double> all = everything(model, longest);
    ModeSearch search = new ModeSearch(longest, Long.MAX_VALUE);
    ModeSearch.Found mode = search.mode(model, List.of());
    assertIsBest(all, -1, mode);
    List<ModeSearch.Found> modes = search.modesByLength(model, List.of());
    assertEquals(longest + 1, modes.size());
    for (int length = 0; length <= longest; length++) {
      assertIsBest(all, length, modes.get(length));
      assertIsBest(all, length, search.modeOfLength(model, length, List.of()));
    }
    List<List<Integer>> known = new ArrayList<>(List.of(mode.ids()));
    known.add(modes.get(longest).ids());
    assertIsBest(all, -1, search.mode(model, known));
    assertIsBest(all, longest, search.modeOfLength(model, longest, known));
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.1, 1, 3})
  void findsTheBestOfAllTextsOfTables(double spread) {
    for (long seed = 0; seed < 5; seed++) {
      assertFindsTheBest(new Table(seed, 4, spread), 5);
    }
    assertFindsTheBest(new Table(9, 7, spread), 4);
    assertFindsTheBest(new Table(9, 2, spread), 9);
    assertFindsTheBest(new Table(9, 5, spread), 0);
  }

  @Test
  void readsFewPrefixesOfASureModel() {
    Table model = new Table(3, 6, 5);
    ModeSearch.Found found = new ModeSearch(6, Long.MAX_VALUE).mode(model, List.of());
    assertTrue(found.steps() < 100, "" + found.steps()); // of 19,531
  }

  private static Model build(String json) {
    Random.seed(4);
    Model model = Configs.parse(json.replace('\'', '"'), Model.Config.class).build();
    model.train(false);
    return model;
  }

  @Test
  void findsTheBestTranslationsOfAModel() {
    EncoderDecoder model =
        (EncoderDecoder)
            build(
                "{'model':'encoder-decoder','encoderLayers':1,'decoderLayers':2,'width':16,'end':0,"
                    + "'length':16,'dropout':0,'init':{'deviation':0.4},'mixer':{'heads':2},"
                    + "'vocab':5}");
    try (NextToken next = NextToken.of(model, SOURCE, 4)) {
      assertEquals(0, next.end());
      assertFindsTheBest(next, 4);
      // Prefixes in any order are those of one pass without a cache.
      for (int[] prefix : new int[][] {{1, 2, 3}, {}, {1, 2, 4, 4}, {2}, {1, 2, 3}, {1, 2, 3}}) {
        double[] found = next.logProbabilities(prefix);
        try (Scope scope = Scope.open();
            Mode mode = Autograd.inference()) {
          long[] read = new long[prefix.length + 1];
          for (int i = 0; i < prefix.length; i++) {
            read[i + 1] = prefix[i];
          }
          Tensor logits =
              model.logits(
                  Tensor.of(new long[] {3, 1, 4, 0}, 1, 4), null, Tensor.of(read, 1, read.length));
          double[] expected =
              logits.select(1, prefix.length).to(DType.FLOAT64).logSoftmax(-1).toDoubles();
          assertEquals(0, distance(expected, found), 1e-5);
        }
      }
    }
  }

  private static double distance(double[] a, double[] b) {
    double worst = 0;
    for (int i = 0; i < a.length; i++) {
      worst = Math.max(worst, Math.abs(a[i] - b[i]));
    }
    return worst;
  }

  @Test
  void findsTheBestContinuationsOfALanguageModel() {
    CausalLm model =
        (CausalLm)
            build(
                "{'model':'causal-lm','layers':2,'width':16,'vocab':5,'length':20,"
                    + "'init':{'deviation':0.5},'mixer':{'heads':2}}");
    try (NextToken next = NextToken.of(model, new int[] {1, 2, 3}, 4, 5)) {
      assertFindsTheBest(next, 5);
      double[] found = next.logProbabilities(new int[] {2, 0});
      try (Scope scope = Scope.open();
          Mode mode = Autograd.inference()) {
        Tensor logits = model.logits(Tensor.of(new long[] {1, 2, 3, 2, 0}, 1, 5));
        double[] expected = logits.select(1, 4).to(DType.FLOAT64).logSoftmax(-1).toDoubles();
        assertEquals(0, distance(expected, found), 1e-5);
      }
    }
  }

  @Test
  void aLimitedSearchSaysSo() {
    ModeSearch.Found found =
        new ModeSearch(5, 6).modesByLength(new Table(2, 4, 0.1), List.of()).get(5);
    assertFalse(found.exact());
    assertEquals(6, found.steps());
  }

  /** Texts that the model gives no probability are not found. */
  @Test
  void impossibleLengthsHaveNoMode() {
    NextToken never =
        new Table(1, 3, 1) {
          @Override
          public double[] logProbabilities(int[] prefix) {
            return new double[] {0, Double.NEGATIVE_INFINITY, Double.NEGATIVE_INFINITY};
          }
        };
    ModeSearch.Found found = new ModeSearch(3, 100).modeOfLength(never, 2, List.of());
    assertNull(found.ids());
    assertEquals(Double.NEGATIVE_INFINITY, found.logProbability());
  }

  @Test
  void senselessLengthsAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new ModeSearch(-1, 10));
    assertThrows(IllegalArgumentException.class, () -> new ModeSearch(3, 0));
    assertThrows(
        IllegalArgumentException.class,
        () -> new ModeSearch(3, 10).modeOfLength(new Table(1, 3, 1), 4, List.of()));
  }
}
