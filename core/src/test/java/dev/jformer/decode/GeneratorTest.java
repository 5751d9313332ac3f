package dev.jformer.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.decode.Generator.Continuation;
import dev.jformer.decode.Generator.Ending;
import dev.jformer.decode.Generator.Request;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GeneratorTest {
  private static final int LENGTH = 24;
  private static final Sampling RANDOM = new Sampling(1.3, 0, 1, 0, 1, 42);
  private static final Sampling RESTRICTED = new Sampling(2, 9, 0.95, 0.02, 1.1, 7);
  private static final int[] PROMPT = {3, 1, 4, 1, 5};
  private static final int[][] PROMPTS = {PROMPT, {7}, {9, 9, 2, 0, 25, 8, 1, 13, 3}, {7, 2}};

  /** Tokens as UTF-8 in hexadecimal: characters of one to four bytes, whole and in pieces. */
  private static final String[] TOKENS = {
    "61", "62", "6162", "c3", "a9", "c3a9", "f09f8cb3", "f09f", "8cb3", "61f0", "9f8cb3", "e282",
    "ac", "e282ac", "acc3", "a961", "20", "62f09f8c", "b3", "7a7a", "63", "c3a962", "64", "78",
    "e282ac61", "0a"
  };

  private final CausalLm model = model("learned");

  /** Weights are drawn wide, so that no two logits are near each other. */
  private static CausalLm model(String position) {
    Random.seed(11);
    String config =
        "{\"model\":\"causal-lm\",\"layers\":2,\"width\":32,\"vocab\":26,\"length\":"
            + LENGTH
            + ",\"position\":{\"type\":\""
            + position
            + "\"},\"mixer\":{\"heads\":4,\"keyValueHeads\":2},\"init\":{\"deviation\":0.3}}";
    CausalLm model = (CausalLm) Configs.parse(config, Model.Config.class).build();
    model.train(false);
    return model;
  }

  @AfterEach
  void close() {
    model.close();
  }

  private static String text(int[] ids) {
    StringBuilder hex = new StringBuilder();
    Arrays.stream(ids).forEach(id -> hex.append(TOKENS[id]));
    return new String(HexFormat.of().parseHex(hex), StandardCharsets.UTF_8);
  }

  private static List<Continuation> run(CausalLm model, Request request, int[]... prompts) {
    return new Generator(model).generate(List.of(prompts), request, GeneratorTest::text, null);
  }

  // ---- The same by its definition: one sequence at a time, everything computed and decoded anew.

  private static Continuation naive(CausalLm model, Request request, int[] prompt) {
    SplittableRandom random = RandomStreams.of(request.sampling().seed(), List.of(prompt)).get(0);
    int[] ids = prompt;
    while (true) {
      int[] fresh = Arrays.copyOfRange(ids, prompt.length, ids.length);
      String text = text(fresh);
      List<Integer> list = Arrays.stream(fresh).boxed().toList();
      int stop =
          request.stopStrings().stream()
              .mapToInt(text::indexOf)
              .filter(i -> i >= 0)
              .min()
              .orElse(-1);
      if (stop >= 0) {
        return new Continuation(list, text.substring(0, stop), Ending.STOP_STRING);
      }
      if (fresh.length == request.newTokens()) {
        return new Continuation(list, text, Ending.LENGTH);
      }
      if (ids.length > model.longest()) {
        return new Continuation(list, text, Ending.CONTEXT_FULL);
      }
      int next = choose(logits(model, ids), ids, request.sampling(), random);
      if (request.stopIds().contains(next)) {
        return new Continuation(list, text, Ending.STOP_ID);
      }
      ids = Arrays.copyOf(ids, ids.length + 1);
      ids[ids.length - 1] = next;
    }
  }

  private static double[] logits(CausalLm model, int[] ids) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor input = Tensor.of(Arrays.stream(ids).asLongStream().toArray(), 1, ids.length);
      return model.logits(input).select(1, ids.length - 1).toDoubles();
    }
  }

  private static int choose(double[] logits, int[] ids, Sampling s, SplittableRandom random) {
    Arrays.stream(ids)
        .distinct()
        .forEach(
            i -> logits[i] *= logits[i] < 0 ? s.repetitionPenalty() : 1 / s.repetitionPenalty());
    Integer[] order = IntStream.range(0, logits.length).boxed().toArray(Integer[]::new);
    Arrays.sort(order, (a, b) -> Double.compare(logits[b], logits[a]));
    if (s.temperature() == 0) {
      return order[0];
    }
    double[] p = new double[logits.length];
    int left = s.topK() == 0 ? logits.length : s.topK();
    for (int i = 0; i < left; i++) {
      p[order[i]] = Math.exp((logits[order[i]] - logits[order[0]]) / s.temperature());
    }
    double all = Arrays.stream(p).sum();
    double before = 0;
    for (int id : order) {
      double weight = p[id];
      if (before >= s.topP() * all || weight < s.minP()) {
        p[id] = 0;
      }
      before += weight;
    }
    double at = random.nextDouble() * Arrays.stream(p).sum();
    int id = -1;
    while (at >= 0) {
      id++;
      at -= p[id];
    }
    return id;
  }

  @ParameterizedTest
  @ValueSource(strings = {"learned", "rope", "alibi", "sinusoidal"})
  void everySequenceIsTheNaiveLoopsAloneAndInABatchWithAndWithoutCache(String position) {
    try (CausalLm other = model(position)) {
      for (Sampling sampling : List.of(Sampling.GREEDY, RANDOM, RESTRICTED)) {
        for (boolean cached : new boolean[] {true, false}) {
          Request request = new Request(12, sampling, Set.of(), List.of(), cached);
          List<Continuation> together = run(other, request, PROMPTS);
          for (int i = 0; i < PROMPTS.length; i++) {
            String which = sampling + " " + cached + ", prompt " + i;
            Continuation expected = naive(other, request, PROMPTS[i]);
            assertEquals(expected, together.get(i), which);
            assertEquals(expected, run(other, request, PROMPTS[i]).get(0), which);
          }
        }
      }
    }
  }

  @Test
  void aTextDoesNotDependOnItsPlace() {
    Request request = new Request(14, RANDOM);
    List<Continuation> one = run(model, request, PROMPTS);
    List<Continuation> other =
        run(model, request, PROMPTS[2], new int[] {8, 8}, PROMPTS[0], PROMPTS[3], PROMPTS[1]);
    assertEquals(one, List.of(other.get(2), other.get(4), other.get(0), other.get(3)));
  }

  @Test
  void oneSeedOneTextAndCopiesDiffer() {
    Request request = new Request(16, RANDOM);
    List<Continuation> first = run(model, request, PROMPT, PROMPT);
    Random.seed(999);
    assertEquals(first, run(model, request, PROMPT, PROMPT));
    assertNotEquals(first.get(0), first.get(1));
    assertNotEquals(first, run(model, new Request(16, RANDOM.withSeed(43)), PROMPT, PROMPT));
  }

  @Test
  void leavesTheEnginesRandomNumbersAlone() {
    Random.seed(5);
    float expected = Tensor.rand(1).toFloats()[0];
    Random.seed(5);
    run(model, new Request(8, RANDOM), PROMPT);
    assertEquals(expected, Tensor.rand(1).toFloats()[0]);
  }

  /** Stop strings from the texts themselves, so that they begin and end anywhere in tokens. */
  @Test
  void stopsWhereTheNaiveLoopStopsAndShowsThat() {
    Request free = new Request(20, RANDOM);
    String text =
        String.join("", run(model, free, PROMPTS).stream().map(Continuation::text).toList());
    java.util.Random random = new java.util.Random(8);
    int stopped = 0;
    for (int round = 0; round < 40; round++) {
      List<String> stops = new ArrayList<>();
      while (stops.size() < 2) {
        int from = random.nextInt(text.length());
        int to = Math.min(text.length(), from + 1 + random.nextInt(5));
        String stop = text.substring(from, to);
        // Whole characters; those that stand for broken ones may yet become others.
        if (stop.equals(new String(stop.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8))
            && stop.indexOf('\uFFFD') < 0) {
          stops.add(stop);
        }
      }
      boolean cached = random.nextBoolean();
      Request request = new Request(20, RANDOM, Set.of(random.nextInt(26)), stops, cached);
      String[] shown = {"", "", "", ""};
      List<List<Integer>> told =
          List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
      List<Continuation> results =
          new Generator(model)
              .generate(
                  List.of(PROMPTS),
                  request,
                  GeneratorTest::text,
                  new Generator.Watcher() {
                    @Override
                    public void text(int sequence, String piece) {
                      assertTrue(!piece.isEmpty());
                      shown[sequence] += piece;
                    }

                    @Override
                    public void token(int sequence, int id) {
                      told.get(sequence).add(id);
                    }
                  });
      for (int i = 0; i < PROMPTS.length; i++) {
        String which = "round " + round + ", stops " + stops + ", prompt " + i;
        assertEquals(naive(model, request, PROMPTS[i]), results.get(i), which);
        assertEquals(results.get(i).text(), shown[i], which);
        assertEquals(results.get(i).ids(), told.get(i), which);
        stopped += results.get(i).ending() == Ending.STOP_STRING ? 1 : 0;
      }
    }
    assertTrue(stopped > 40 && stopped < 150, stopped + " of 160 met a stop string");
  }

  @Test
  void doesNotSearchThePromptForStopStrings() {
    Request request = new Request(1, Sampling.GREEDY, Set.of(), List.of(text(PROMPT)), true);
    assertEquals(Ending.LENGTH, run(model, request, PROMPT).get(0).ending());
  }

  @Test
  void needsNoTextToGoOn() {
    Request request = new Request(9, RANDOM);
    List<Continuation> results = new Generator(model).generate(List.of(PROMPTS), request);
    List<Continuation> texts = run(model, request, PROMPTS);
    for (int i = 0; i < PROMPTS.length; i++) {
      assertEquals(texts.get(i).ids(), results.get(i).ids());
      assertEquals("", results.get(i).text());
    }
    assertEquals(List.of(), new Generator(model).generate(List.of(), request));
  }

  @Test
  void endsWhereTheModelCanReadNoMore() {
    for (boolean cached : new boolean[] {true, false}) {
      Request request = new Request(1000, Sampling.GREEDY, Set.of(), List.of(), cached);
      List<Continuation> results = run(model, request, PROMPT, new int[LENGTH]);
      // Each is the token that follows a sequence the model can read; the last cannot be read.
      assertEquals(LENGTH + 1 - PROMPT.length, results.get(0).ids().size());
      assertEquals(1, results.get(1).ids().size());
      results.forEach(result -> assertEquals(Ending.CONTEXT_FULL, result.ending()));
    }
    try (CausalLm rope = model("rope")) {
      Continuation result = run(rope, new Request(2 * LENGTH, Sampling.GREEDY), PROMPT).get(0);
      assertEquals(2 * LENGTH, result.ids().size());
      assertEquals(Ending.LENGTH, result.ending());
    }
  }

  @Test
  void stopsBetweenStepsAndKeepsWhatThereIs() {
    Request request = new Request(15, RANDOM);
    List<Continuation> whole = run(model, request, PROMPTS);
    Generator generator = new Generator(model);
    List<Integer> told = new ArrayList<>();
    List<Continuation> results =
        generator.generate(
            List.of(PROMPTS),
            request,
            GeneratorTest::text,
            new Generator.Watcher() {
              @Override
              public void text(int sequence, String piece) {}

              @Override
              public void token(int sequence, int id) {
                told.add(id);
                if (told.size() == 10) {
                  generator.stop();
                }
              }
            });
    assertTrue(told.size() >= 10 && told.size() < 10 + PROMPTS.length, told.size() + " tokens");
    for (int i = 0; i < PROMPTS.length; i++) {
      Continuation result = results.get(i);
      assertEquals(Ending.INTERRUPTED, result.ending());
      assertEquals(whole.get(i).ids().subList(0, result.ids().size()), result.ids());
      assertEquals(text(result.ids().stream().mapToInt(x -> x).toArray()), result.text());
    }
    assertEquals(
        new Continuation(List.of(), "", Ending.INTERRUPTED),
        generator.generate(List.of(PROMPT), request).get(0));
  }

  /** Mixes as another mixer does, but cannot decode step by step. */
  private static final class WholeOnly extends TokenMixer {
    private final TokenMixer inner;

    WholeOnly(TokenMixer inner) {
      this.inner = inner;
    }

    @Override
    public Tensor forward(Tensor x, Tensor paddingMask) {
      return inner.forward(x, paddingMask);
    }
  }

  @Test
  void computesAgainWhereAMixerCannotStep() {
    Request request = new Request(10, RESTRICTED);
    List<Continuation> expected = run(model, request, PROMPTS);
    model.replace("blocks.1.mixer", new WholeOnly(model.blocks().get(1).mixer()));
    assertEquals(expected, run(model, request, PROMPTS));
  }

  /** Mixes nothing, and counts the states that are open. */
  private static final class Counting extends TokenMixer {
    private int open;

    @Override
    public Tensor forward(Tensor x, Tensor paddingMask) {
      return x;
    }

    @Override
    public State start(long batch, long capacity) {
      open++;
      return new State() {
        @Override
        public long length() {
          return 0;
        }

        @Override
        public long bytes() {
          return 0;
        }

        @Override
        public void close() {
          open--;
        }
      };
    }
  }

  @Test
  void closesTheStatesThatWereStartedBeforeOneRefused() {
    Counting counting = new Counting();
    model.replace("blocks.0.mixer", counting);
    model.replace("blocks.1.mixer", new WholeOnly(counting));
    String message =
        assertThrows(UnsupportedOperationException.class, () -> model.decode(2, 10)).getMessage();
    assertTrue(message.contains("WholeOnly cannot decode step by step"), message);
    assertEquals(0, counting.open);
  }

  @Test
  void refusesWhatItCannotContinue() {
    refused("prompt 1 is empty", new int[] {1}, new int[0]);
    refused("prompt 0 has 25 tokens, but the model reads at most 24", new int[LENGTH + 1]);
    refused("prompt 0 has the token 26", new int[] {0, 26});
    refused("prompt 0 has the token -1", new int[] {-1});
    Request stops = new Request(3, Sampling.GREEDY, Set.of(), List.of("x"), true);
    assertThrows(
        IllegalArgumentException.class,
        () -> new Generator(model).generate(List.of(PROMPT), stops));
    assertThrows(IllegalArgumentException.class, () -> new Request(0, Sampling.GREEDY));
    assertThrows(
        IllegalArgumentException.class,
        () -> new Request(3, Sampling.GREEDY, Set.of(), List.of("a", ""), true));
    model.train(true);
    assertThrows(
        IllegalStateException.class,
        () -> new Generator(model).generate(List.of(PROMPT), new Request(3, Sampling.GREEDY)));
  }

  private void refused(String message, int[]... prompts) {
    Exception e =
        assertThrows(
            IllegalArgumentException.class,
            () -> run(model, new Request(3, Sampling.GREEDY), prompts));
    assertTrue(e.getMessage().startsWith(message), e.getMessage());
  }

  @Test
  void saysThatAModelIsDamaged() {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      model.parameters().get("embedding.weight").value().select(0, 9).mul_(Double.NaN);
    }
    for (Sampling sampling : List.of(Sampling.GREEDY, RANDOM)) {
      String message =
          assertThrows(
                  IllegalStateException.class, () -> run(model, new Request(2, sampling), PROMPT))
              .getMessage();
      assertTrue(message.startsWith("the logit of token 9 is NaN"), message);
    }
  }

  @Test
  void topKOfMoreThanThereAreIsAll() {
    Request all = new Request(9, RANDOM);
    Request many = new Request(9, new Sampling(1.3, 1_000_000, 1, 0, 1, 42));
    assertEquals(run(model, all, PROMPTS), run(model, many, PROMPTS));
  }
}
