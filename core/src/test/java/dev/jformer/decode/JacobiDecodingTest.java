package dev.jformer.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.decode.Generator.Continuation;
import dev.jformer.decode.Generator.Ending;
import dev.jformer.decode.Generator.Request;
import dev.jformer.decode.JacobiDecoding.Settings;
import dev.jformer.decode.JacobiDecoding.Start;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(Scoped.class)
class JacobiDecodingTest {
  /** So high that no text is rare: 81 can be counted. */
  private static final double TEMPERATURE = 4;

  private static CausalLm model(int vocab, int length, String mixer) {
    Random.seed(6);
    String config =
        "{\"model\":\"causal-lm\",\"layers\":2,\"width\":16,\"vocab\":"
            + vocab
            + ",\"length\":"
            + length
            + ",\"mixer\":{\"heads\":2"
            + mixer
            + "},\"init\":{\"deviation\":0.4}}";
    CausalLm model = (CausalLm) Configs.parse(config, Model.Config.class).build();
    model.train(false);
    return model;
  }

  private static Continuation of(Generator generator, int[] prompt, Request request) {
    return generator.generate(List.of(prompt), request).get(0);
  }

  // ---- Greedy

  @ParameterizedTest
  @EnumSource(Start.class)
  void greedilyItSaysWhatTheModelSays(Start start) {
    CausalLm model = model(23, 200, "");
    Request request = new Request(150, new Sampling(0, 0, 1, 0, 1.2, 1));
    int[] prompt = {3, 1, 4, 1, 5};
    Continuation plain = of(new Generator(model), prompt, request);
    for (int window : new int[] {1, 2, 3, 16, 63, 65, 300}) {
      Generator generator = new Generator(model, new Settings(window, start, 8));
      assertEquals(plain.ids(), of(generator, prompt, request).ids(), "window " + window);
      assertTrue(generator.tally().rounds() <= 150, generator.tally().toString());
      long most = generator.tally().rounds() + generator.tally().kept();
      assertTrue(
          most >= 150, generator.tally().toString()); // each pass gives one, and what it kept
    }
  }

  @Test
  void aTextThatRepeatsATokenTakesFewPasses() {
    CausalLm model = model(5, 100, "");
    try (Mode constant = Autograd.noGrad()) { // all logits alike but one: always the same token
      model.parameters().get("norm.weight").value().copy_(Tensor.zeros(DType.FLOAT32, 16));
      Tensor bias = model.parameters().get("norm.bias").value();
      Tensor table = model.parameters().get("embedding.weight").value();
      bias.copy_(table.select(0, 2).mul(10));
    }
    Generator plain = new Generator(model);
    Request request = new Request(64, new Sampling(0, 0, 1, 0, 1, 1));
    int[] prompt = {2};
    Generator copies = new Generator(model, new Settings(7, Start.PREVIOUS, 1));
    assertEquals(of(plain, prompt, request).ids(), of(copies, prompt, request).ids());
    assertEquals(8, copies.tally().rounds()); // 7 guesses and one more token each
    assertEquals(56, copies.tally().kept());
  }

  // ---- Sampling

  private static Map<List<Integer>, Double> shares(CausalLm model, int[] prompt, int tokens) {
    Map<List<Integer>, Double> all = new HashMap<>();
    add(model, prompt, prompt.length, tokens, 1, all);
    return all;
  }

  private static void add(
      CausalLm model,
      int[] ids,
      int from,
      int tokens,
      double share,
      Map<List<Integer>, Double> all) {
    if (ids.length - from == tokens) {
      all.put(Arrays.stream(ids).skip(from).boxed().toList(), share);
      return;
    }
    double[] next;
    try (Scope scope = Scope.open();
        Mode mode = Autograd.inference()) {
      long[] wide = Arrays.stream(ids).asLongStream().toArray();
      Tensor logits = model.logits(Tensor.of(wide, 1, wide.length)).select(1, ids.length - 1L);
      next = logits.to(DType.FLOAT64).div(TEMPERATURE).softmax(-1).toDoubles();
    }
    for (int id = 0; id < next.length; id++) {
      int[] longer = Arrays.copyOf(ids, ids.length + 1);
      longer[ids.length] = id;
      add(model, longer, from, tokens, share * next[id], all);
    }
  }

  /** 4,000 texts of four tokens beside the probabilities of all 81. */
  @ParameterizedTest
  @CsvSource({"2,RANDOM", "8,RANDOM", "3,PREVIOUS", "2,ABOVE"})
  void textsAreDistributedAsTheModelSays(int window, Start start) {
    CausalLm model = model(3, 12, "");
    int[] prompt = {1, 0, 2};
    Map<List<Integer>, Double> shares = shares(model, prompt, 4);
    assertEquals(81, shares.size());
    Generator generator = new Generator(model, new Settings(window, start, 2));
    Map<List<Integer>, Integer> counts = new HashMap<>();
    int draws = 4000;
    Request request = new Request(4, new Sampling(TEMPERATURE, 0, 1, 0, 1, 17));
    for (Continuation text : generator.generate(Collections.nCopies(draws, prompt), request)) {
      counts.merge(text.ids(), 1, Integer::sum);
    }
    double statistic = 0;
    int degrees = -1;
    double restShare = 0;
    double restCount = 0;
    for (Map.Entry<List<Integer>, Double> entry : shares.entrySet()) {
      double expected = draws * entry.getValue();
      int count = counts.getOrDefault(entry.getKey(), 0);
      if (expected < 8) { // rare texts count together
        restShare += expected;
        restCount += count;
      } else {
        statistic += Math.pow(count - expected, 2) / expected;
        degrees++;
      }
    }
    if (restShare > 8) {
      statistic += Math.pow(restCount - restShare, 2) / restShare;
      degrees++;
    }
    // Mean and deviation of chi squared; 4.5 deviations are exceeded once in some thousand tests.
    assertTrue(degrees > 30, "" + degrees);
    assertTrue(statistic < degrees + 4.5 * Math.sqrt(2 * degrees), statistic + " of " + degrees);
    assertTrue(generator.tally().kept() > 500, generator.tally().toString());
    assertTrue(generator.tally().rounds() < 4L * draws);
  }

  @Test
  void onlyCandidatesAreTaken() {
    CausalLm model = model(23, 100, "");
    Generator generator = new Generator(model, new Settings(5));
    Request one = new Request(60, new Sampling(1, 1, 1, 0, 1, 3)); // top-k of 1 is greedy
    Request greedy = new Request(60, new Sampling(0, 0, 1, 0, 1, 3));
    int[] prompt = {7, 2};
    assertEquals(of(new Generator(model), prompt, greedy).ids(), of(generator, prompt, one).ids());
  }

  // ---- Ends

  @Test
  void endsWhereTextsEnd() {
    CausalLm model = model(23, 40, "");
    Request greedy = new Request(100, new Sampling(0, 0, 1, 0, 1.2, 1));
    int[] prompt = {3, 1, 4};
    Continuation plain = of(new Generator(model), prompt, greedy);
    assertEquals(Ending.CONTEXT_FULL, plain.ending());
    Continuation jacobi = of(new Generator(model, new Settings(9)), prompt, greedy);
    assertEquals(plain.ids(), jacobi.ids());
    assertEquals(Ending.CONTEXT_FULL, jacobi.ending());
    int stop = plain.ids().get(7);
    Request stopped =
        new Request(100, new Sampling(0, 0, 1, 0, 1.2, 1), Set.of(stop), List.of(), true);
    Continuation first = of(new Generator(model), prompt, stopped);
    Continuation second = of(new Generator(model, new Settings(9)), prompt, stopped);
    assertEquals(first.ids(), second.ids());
    assertEquals(Ending.STOP_ID, second.ending());
    Request single = new Request(1, new Sampling(0, 0, 1, 0, 1, 1));
    assertEquals(1, of(new Generator(model, new Settings(9)), prompt, single).ids().size());
  }

  @Test
  void senselessSettingsAreRefused() {
    assertThrows(IllegalArgumentException.class, () -> new Settings(0));
    assertThrows(IllegalArgumentException.class, () -> new Settings(4, Start.ABOVE, 0));
  }
}
