package dev.jformer.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.compress.experts.Extract;
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
import dev.jformer.testing.Scoped;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class SpeculationTest {
  private static final int[] PROMPT = {3, 1, 4};

  private static CausalLm model(int vocab, String ffn, double deviation, long seed) {
    Random.seed(seed);
    String config =
        "{\"model\":\"causal-lm\",\"layers\":2,\"width\":16,\"vocab\":"
            + vocab
            + ",\"length\":40,\"mixer\":{\"heads\":2},\"init\":{\"deviation\":"
            + deviation
            + "},\"ffn\":"
            + ffn
            + "}";
    CausalLm model = (CausalLm) Configs.parse(config, Model.Config.class).build();
    model.train(false);
    return model;
  }

  private static CausalLm nested() {
    return model(26, "{\"type\":\"nested-mlp\"}", 0.3, 11);
  }

  private static Request greedy(int tokens) {
    return new Request(tokens, new Sampling(0, 0, 1, 0, 1.2, 1));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5, 9})
  void greedilyItSaysWhatTheModelSays(int ahead) {
    CausalLm model = nested();
    List<CausalLm> drafts =
        List.of(
            (CausalLm) new Extract(0).apply(model, null),
            (CausalLm) new Extract(List.of(3, 0)).apply(model, null),
            model(26, "{\"type\":\"mlp\"}", 0.3, 99),
            model);
    List<int[]> prompts = List.of(PROMPT, new int[] {7}, new int[] {0, 25, 8, 1, 13, 3, 3, 9});
    for (int tokens : new int[] {1, 2, 20, 60}) {
      List<Continuation> plain = new Generator(model).generate(prompts, greedy(tokens));
      for (CausalLm draft : drafts) {
        Generator generator = new Generator(model, draft, ahead);
        assertEquals(plain, generator.generate(prompts, greedy(tokens)));
        if (draft == model) {
          assertEquals(generator.tally().guessed(), generator.tally().kept());
        }
      }
    }
  }

  @Test
  void endsWhereTheModelEnds() {
    CausalLm model = nested();
    CausalLm draft = (CausalLm) new Extract(1).apply(model, null);
    List<Integer> all = new Generator(model).generate(List.of(PROMPT), greedy(30)).get(0).ids();
    Request stopping =
        new Request(30, new Sampling(0, 0, 1, 0, 1.2, 1), Set.of(all.get(7)), List.of(), true);
    List<Continuation> plain = new Generator(model).generate(List.of(PROMPT), stopping);
    assertEquals(Ending.STOP_ID, plain.get(0).ending());
    assertEquals(plain, new Generator(model, draft, 4).generate(List.of(PROMPT), stopping));
    Generator stopped = new Generator(model, draft, 4);
    stopped.stop();
    assertEquals(Ending.INTERRUPTED, stopped.generate(List.of(PROMPT), greedy(5)).get(0).ending());
  }

  /** The first three tokens, over many seeds, against the product of the model's probabilities. */
  @Test
  void drawsFromTheModelsOwnDistribution() {
    CausalLm model = model(4, "{\"type\":\"mlp\"}", 0.4, 3);
    CausalLm draft = model(4, "{\"type\":\"mlp\"}", 0.4, 4);
    Sampling sampling = new Sampling(0.9, 3, 1, 0, 1, 0);
    int[] prompt = {1, 2};
    double[] expected = new double[64];
    for (int first = 0; first < 4; first++) {
      for (int second = 0; second < 4; second++) {
        for (int third = 0; third < 4; third++) {
          expected[16 * first + 4 * second + third] =
              probability(model, sampling, first, prompt)
                  * probability(model, sampling, second, 1, 2, first)
                  * probability(model, sampling, third, 1, 2, first, second);
        }
      }
    }
    int draws = 3000;
    int[] counts = new int[64];
    Generator generator = new Generator(model, draft, 3);
    for (int seed = 1; seed <= draws; seed++) {
      Sampling seeded = new Sampling(0.9, 3, 1, 0, 1, seed);
      List<Integer> ids = generator.generate(List.of(prompt), new Request(3, seeded)).get(0).ids();
      counts[16 * ids.get(0) + 4 * ids.get(1) + ids.get(2)]++;
    }
    double chiSquare = 0;
    int cells = 0;
    for (int i = 0; i < 64; i++) {
      if (expected[i] == 0) {
        assertEquals(0, counts[i]);
      } else {
        double mean = expected[i] * draws;
        chiSquare += (counts[i] - mean) * (counts[i] - mean) / mean;
        cells++;
      }
    }
    // Mean cells - 1, standard deviation √(2 (cells - 1)): four of them.
    assertTrue(chiSquare < cells - 1 + 4 * Math.sqrt(2.0 * cells), chiSquare + " of " + cells);
    assertTrue(generator.tally().share() < 0.95, "" + generator.tally());
  }

  private static double probability(CausalLm model, Sampling sampling, int next, int... before) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      long[] ids = java.util.Arrays.stream(before).asLongStream().toArray();
      float[] logits =
          model.logits(Tensor.of(ids, 1, ids.length)).select(1, ids.length - 1).toFloats();
      return new Sampler(sampling).candidates(logits, new java.util.BitSet()).probability(next);
    }
  }

  @Test
  void refusesADraftThatDoesNotFit() {
    CausalLm model = nested();
    assertThrows(IllegalArgumentException.class, () -> new Generator(model, model, 0));
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> new Generator(model, model(9, "{\"type\":\"mlp\"}", 0.3, 1), 2));
    assertTrue(e.getMessage().contains("a vocabulary of 9"), e.getMessage());
  }
}
