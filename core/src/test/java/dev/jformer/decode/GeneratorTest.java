package dev.jformer.decode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.decode.Generator.Continuation;
import dev.jformer.decode.Generator.Ending;
import dev.jformer.decode.Generator.Request;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class GeneratorTest {
  private static final Sampling RANDOM = new Sampling(1.0, 0, 1, 1, 42);

  private static CausalLm model(String position) {
    Random.seed(5);
    String json =
        "{'model':'causal-lm','layers':2,'width':32,'vocab':40,'length':24,"
            + "'mixer':{'heads':4,'keyValueHeads':2},'init':{'deviation':0.3},'position':{'type':'"
            + position
            + "'}}";
    CausalLm model = (CausalLm) Configs.parse(json.replace('\'', '"'), Model.Config.class).build();
    model.train(false);
    return model;
  }

  private static String letters(int[] ids) {
    StringBuilder text = new StringBuilder();
    for (int id : ids) {
      text.append((char) ('A' + id));
    }
    return text.toString();
  }

  private static List<Continuation> run(CausalLm model, Request request, int[]... prompts) {
    return new Generator(model).generate(List.of(prompts), request, GeneratorTest::letters, null);
  }

  @Test
  void greedyIsTheArgmaxOfTheWholeSequenceAtEveryStep() {
    CausalLm model = model("rope");
    List<Integer> expected = new ArrayList<>(List.of(3, 1, 4));
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      for (int i = 0; i < 15; i++) {
        long[] ids = expected.stream().mapToLong(Integer::longValue).toArray();
        float[] last =
            model.logits(Tensor.of(ids, 1, ids.length)).select(1, ids.length - 1).toFloats();
        int best = 0;
        for (int v = 1; v < last.length; v++) {
          best = last[v] > last[best] ? v : best;
        }
        expected.add(best);
      }
    }
    for (boolean cached : new boolean[] {true, false}) {
      Request request = new Request(15, Sampling.GREEDY, Set.of(), List.of(), cached);
      Continuation result = run(model, request, new int[] {3, 1, 4}).get(0);
      assertEquals(expected.subList(3, 18), result.ids());
      assertEquals(Ending.LENGTH, result.ending());
    }
  }

  @Test
  void aSequenceIsWhatItWouldBeAlone() {
    int[][] prompts = {{1}, {7, 8, 9, 10, 11}, {2, 3}, {5, 5, 5}};
    for (String position : List.of("rope", "learned", "alibi")) {
      CausalLm model = model(position);
      List<Continuation> together = run(model, new Request(9, Sampling.GREEDY), prompts);
      for (int i = 0; i < prompts.length; i++) {
        Continuation alone = run(model, new Request(9, Sampling.GREEDY), prompts[i]).get(0);
        assertEquals(alone.ids(), together.get(i).ids(), position + " " + i);
      }
    }
  }

  @Test
  void seedsRepeatAndDiffer() {
    CausalLm model = model("rope");
    int[] prompt = {1, 2};
    List<Integer> first = run(model, new Request(20, RANDOM), prompt).get(0).ids();
    assertEquals(first, run(model, new Request(20, RANDOM), prompt).get(0).ids());
    Sampling other = new Sampling(1, 0, 1, 1, 43);
    assertNotEquals(first, run(model, new Request(20, other), prompt).get(0).ids());
    // The first sequence of a batch draws what it draws alone; equal prompts beside it draw
    // otherwise.
    List<Continuation> batch = run(model, new Request(20, RANDOM), prompt, prompt);
    assertEquals(first, batch.get(0).ids());
    assertNotEquals(first, batch.get(1).ids());
  }

  @Test
  void endsBeforeStopStringsAndAtStopIds() {
    CausalLm model = model("rope");
    Continuation free = run(model, new Request(12, Sampling.GREEDY), new int[] {3, 1, 4}).get(0);
    String stop = free.text().substring(4, 7); // spans three tokens
    Request request = new Request(12, Sampling.GREEDY, Set.of(), List.of(stop), true);
    Continuation cut = run(model, request, new int[] {3, 1, 4}).get(0);
    assertEquals(Ending.STOP_STRING, cut.ending());
    assertEquals(free.text().substring(0, free.text().indexOf(stop)), cut.text());

    int id = free.ids().get(5);
    Request byId = new Request(12, Sampling.GREEDY, Set.of(id), List.of(), true);
    Continuation ended = run(model, byId, new int[] {3, 1, 4}).get(0);
    assertEquals(Ending.STOP_ID, ended.ending());
    assertEquals(free.ids().subList(0, free.ids().indexOf(id)), ended.ids());
  }

  @Test
  void endsWhereTheModelsPositionsEnd() {
    CausalLm model = model("learned");
    Continuation result = run(model, new Request(100, Sampling.GREEDY), new int[] {1, 2}).get(0);
    assertEquals(Ending.CONTEXT_FULL, result.ending());
    assertEquals(
        24 - 2 + 1, result.ids().size()); // the token after the last position is still known
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> run(model, new Request(1, Sampling.GREEDY), new int[25]))
            .getMessage();
    assertTrue(message.contains("25 tokens") && message.contains("at most 24"), message);
    assertEquals(
        100,
        run(model("rope"), new Request(100, Sampling.GREEDY), new int[] {1}).get(0).ids().size());
  }

  @Test
  void refusesPromptsItCannotRead() {
    CausalLm model = model("rope");
    Request request = new Request(1, Sampling.GREEDY);
    assertThrows(IllegalArgumentException.class, () -> run(model, request, new int[0]));
    assertThrows(IllegalArgumentException.class, () -> run(model, request, new int[] {40}));
    assertThrows(IllegalArgumentException.class, () -> new Request(0, Sampling.GREEDY));
    assertThrows(IllegalArgumentException.class, () -> new Sampling(-1, 0, 1, 1, 0));
    assertThrows(IllegalArgumentException.class, () -> new Sampling(1, 0, 0, 1, 0));
  }

  @Test
  void drawsInProportionToTheProbabilities() {
    double[] logits = {0.5, -1, 2, 0, 1.2};
    assertFrequencies(logits, new Sampling(1, 0, 1, 1, 3), softmax(logits, 1, 5, 1));
    assertFrequencies(logits, new Sampling(0.5, 0, 1, 1, 4), softmax(logits, 0.5, 5, 1));
    assertFrequencies(logits, new Sampling(2, 3, 1, 1, 5), softmax(logits, 2, 3, 1));
    assertFrequencies(logits, new Sampling(1, 0, 0.8, 1, 6), softmax(logits, 1, 5, 0.8));
    assertFrequencies(logits, new Sampling(1, 4, 0.7, 1, 7), softmax(logits, 1, 4, 0.7));
  }

  /**
   * The distribution by its definition: temperature, the k largest, then the smallest set that
   * reaches p.
   */
  private static double[] softmax(double[] logits, double temperature, int k, double p) {
    Integer[] order = {0, 1, 2, 3, 4};
    Arrays.sort(order, (a, b) -> Double.compare(logits[b], logits[a]));
    double total = 0;
    for (int i = 0; i < k; i++) {
      total += Math.exp(logits[order[i]] / temperature);
    }
    double[] kept = new double[logits.length];
    double sum = 0;
    for (int i = 0; i < k && sum < p; i++) {
      kept[order[i]] = Math.exp(logits[order[i]] / temperature) / total;
      sum += kept[order[i]];
    }
    for (int i = 0; i < kept.length; i++) {
      kept[i] /= sum;
    }
    return kept;
  }

  private static void assertFrequencies(double[] logits, Sampling sampling, double[] expected) {
    int draws = 20_000;
    int[] counts = new int[logits.length];
    Sampler sampler = new Sampler(sampling, 0);
    Ids none = new Ids(new int[0]);
    try (Scope scope = Scope.open()) {
      Tensor tensor = Tensor.of(logits);
      for (int i = 0; i < draws; i++) {
        counts[sampler.next(tensor, none)]++;
      }
    }
    for (int i = 0; i < counts.length; i++) {
      double deviation = Math.sqrt(expected[i] * (1 - expected[i]) / draws);
      assertEquals(
          expected[i], counts[i] / (double) draws, 5 * deviation + 1e-12, sampling + " " + i);
    }
  }

  @Test
  void penalizesWhatOccurred() {
    try (Scope scope = Scope.open()) {
      Tensor logits = Tensor.of(new float[] {2.0f, 1.9f, -1.0f, -1.1f});
      Ids history = new Ids(new int[] {0, 0, 2});
      Sampler sampler = new Sampler(new Sampling(0, 0, 1, 1.2, 0), 0);
      assertEquals(1, sampler.next(logits, history)); // 2.0 / 1.2 < 1.9
      Tensor negative = Tensor.of(new float[] {-9f, -9f, -1.0f, -1.1f});
      assertEquals(3, sampler.next(negative, history)); // -1.0 * 1.2 < -1.1
      assertArrayEquals(new long[] {0, 2}, history.distinct());
    }
  }
}
