package dev.jformer.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.train.Optimizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class OutcomeClassifierTest {
  private static final int[] SOURCE = {3, 1, 2, 0};

  private static EncoderDecoder model() {
    Random.seed(8);
    String json =
        "{'model':'encoder-decoder','encoderLayers':1,'decoderLayers':2,'width':16,'end':0,"
            + "'length':16,'dropout':0,'init':{'deviation':0.4},'mixer':{'heads':2},'vocab':4}";
    EncoderDecoder model =
        (EncoderDecoder) Configs.parse(json.replace('\'', '"'), Model.Config.class).build();
    model.train(false);
    return model;
  }

  /** The probability of every text of at most so many tokens with its end, and of those cut off. */
  private static Map<List<Integer>, Double> everything(NextToken next, int longest) {
    Map<List<Integer>, Double> all = new HashMap<>();
    add(next, new int[0], 0, longest, all);
    return all;
  }

  private static void add(
      NextToken next, int[] text, double log, int longest, Map<List<Integer>, Double> all) {
    double[] logs = next.logProbabilities(text);
    for (int id = 0; id < logs.length; id++) {
      int[] longer = Arrays.copyOf(text, text.length + 1);
      longer[text.length] = id;
      if (id == next.end() || longer.length == longest) {
        all.put(Arrays.stream(longer).boxed().toList(), Math.exp(log + logs[id]));
      } else {
        add(next, longer, log + logs[id], longest, all);
      }
    }
  }

  @Test
  void samplesAreDistributedAsTheModelSays() {
    EncoderDecoder model = model();
    Map<List<Integer>, Double> shares;
    try (NextToken next = NextToken.of(model, SOURCE, 3)) {
      shares = everything(next, 3);
    }
    assertEquals(1, shares.values().stream().mapToDouble(x -> x).sum(), 1e-5);
    int draws = 40_000;
    Map<List<Integer>, Integer> counts = new HashMap<>();
    List<int[]> sources = Collections.nCopies(4, SOURCE);
    for (int[] text : new OutputSampler(model, 3).sample(sources, draws / 4)) {
      counts.merge(Arrays.stream(text).boxed().toList(), 1, Integer::sum);
    }
    double statistic = 0;
    for (Map.Entry<List<Integer>, Double> entry : shares.entrySet()) {
      double expected = draws * entry.getValue();
      statistic += Math.pow(counts.getOrDefault(entry.getKey(), 0) - expected, 2) / expected;
    }
    // Of 39 degrees of freedom: a thousandth of all draws lie above 72.
    assertEquals(40, shares.size());
    assertTrue(statistic < 72, "" + statistic);
  }

  /** Beside exact posteriors and the prior, in nats over all beginnings. */
  @Test
  void learnsTheProbabilityOfTheAttributeAfterEachBeginning() {
    EncoderDecoder model = model();
    OutcomeClassifier classifier = new OutcomeClassifier(model);
    Map<List<Integer>, Double> shares;
    try (NextToken next = NextToken.of(model, SOURCE, 4)) {
      shares = everything(next, 4);
    }
    List<int[]> texts = new OutputSampler(model, 4).sample(List.of(SOURCE), 2000);
    boolean[] labels = new boolean[texts.size()];
    for (int j = 0; j < labels.length; j++) {
      labels[j] = hasAttribute(Arrays.stream(texts.get(j)).boxed().toList());
    }
    List<int[]> sources = Collections.nCopies(texts.size(), SOURCE);
    double first = 0;
    double last = 0;
    try (Optimizer optimizer = classifier.optimizer()) {
      for (int i = 0; i < 200; i++) {
        last = classifier.step(optimizer, i < 150 ? 0.05 : 0.01, sources, texts, labels);
        first = i == 0 ? last : first;
      }
    }
    assertEquals(Math.log(2), first, 1e-6);
    double total = 0;
    double exact = 0;
    double found = 0;
    double share = 0;
    for (List<Integer> begin : beginnings(shares)) {
      double weight = given(shares, begin, false);
      double posterior = given(shares, begin, true) / weight;
      total += weight;
      share += weight * posterior;
      exact += weight * crossEntropy(posterior, posterior);
      found += weight * crossEntropy(posterior, found(model, classifier, begin));
    }
    double prior = crossEntropy(share / total, share / total);
    exact /= total;
    found /= total;
    assertEquals(found, last, 0.05); // what was learned holds for all texts
    assertTrue(prior - exact > 0.2, prior + " and " + exact);
    assertTrue((prior - found) / (prior - exact) > 0.7, prior + ", " + found + ", " + exact);
  }

  private static double crossEntropy(double share, double said) {
    double yes = share == 0 ? 0 : -share * Math.log(said);
    return share == 1 ? yes : yes - (1 - share) * Math.log(1 - said);
  }

  /** Texts of two tokens or more, without the end, in which a 1 occurs. */
  private static boolean hasAttribute(List<Integer> text) {
    return text.contains(1) && text.size() > 2;
  }

  private static List<List<Integer>> beginnings(Map<List<Integer>, Double> shares) {
    List<List<Integer>> all = new ArrayList<>();
    for (List<Integer> text : shares.keySet()) {
      for (int n = 1; n <= text.size(); n++) {
        if (!all.contains(text.subList(0, n))) {
          all.add(text.subList(0, n));
        }
      }
    }
    return all;
  }

  private static double given(
      Map<List<Integer>, Double> shares, List<Integer> begin, boolean attribute) {
    return shares.entrySet().stream()
        .filter(entry -> entry.getKey().size() >= begin.size())
        .filter(entry -> entry.getKey().subList(0, begin.size()).equals(begin))
        .filter(entry -> !attribute || hasAttribute(entry.getKey()))
        .mapToDouble(Map.Entry::getValue)
        .sum();
  }

  private static double found(
      EncoderDecoder model, OutcomeClassifier classifier, List<Integer> begin) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.inference()) {
      long[] read = new long[begin.size()];
      for (int i = 1; i < read.length; i++) {
        read[i] = begin.get(i - 1);
      }
      Tensor memory = model.encode(Tensor.of(new long[] {3, 1, 2, 0}, 1, 4), null);
      Tensor hidden = model.hidden(memory, null, Tensor.of(read, 1, read.length));
      Tensor logs = classifier.logProbabilities(hidden.select(1, read.length - 1));
      return Math.exp(logs.toDoubles()[begin.get(begin.size() - 1)]);
    }
  }

  /** With a guide that is exact, the widest beam finds the best text that has the attribute. */
  @Test
  void aGuideTurnsTheSearchToTextsWithTheAttribute() {
    EncoderDecoder model = model();
    // The attribute: the text does not hold token 2. Its tokens tell it at once.
    BeamSearch.Guide guide =
        hidden ->
            Tensor.of(new float[] {0, 0, Float.NEGATIVE_INFINITY, 0}, 1, 4)
                .expand(hidden.size(0), 4);
    BeamSearch.Settings settings = new BeamSearch.Settings(60, 0, 0, 4, true);
    BeamSearch.Hypothesis found =
        new BeamSearch(model, settings, guide).search(List.of(SOURCE)).get(0);
    List<Integer> best = null;
    double most = Double.NEGATIVE_INFINITY;
    try (NextToken next = NextToken.of(model, SOURCE, 5)) {
      for (Map.Entry<List<Integer>, Double> entry : everything(next, 4).entrySet()) {
        if (!entry.getKey().contains(2) && Math.log(entry.getValue()) > most) {
          most = Math.log(entry.getValue());
          best = entry.getKey();
        }
      }
    }
    List<Integer> withEnd = new ArrayList<>(found.ids());
    if (found.ended()) {
      withEnd.add(0);
    }
    assertEquals(best, withEnd);
    assertEquals(most, found.logProbability(), 1e-4);
    assertEquals(found.logProbability(), found.score(), 1e-6);
    BeamSearch.Guide half = hidden -> Tensor.full(Math.log(0.5), DType.FLOAT32, hidden.size(0), 4);
    BeamSearch.Hypothesis plain = new BeamSearch(model, settings).search(List.of(SOURCE)).get(0);
    BeamSearch.Hypothesis same =
        new BeamSearch(model, settings, half).search(List.of(SOURCE)).get(0);
    assertEquals(plain.ids(), same.ids());
    assertEquals(plain.logProbability(), same.logProbability(), 1e-5);
    assertEquals(plain.score() + Math.log(0.5), same.score(), 1e-5);
  }
}
