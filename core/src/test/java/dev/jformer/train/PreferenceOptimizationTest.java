package dev.jformer.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.data.text.EncodedSample;
import dev.jformer.data.text.SampleEncoder;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class PreferenceOptimizationTest {
  private static final double BETA = 0.3;

  private static CausalLm model() {
    Random.seed(4);
    return Configs.parse(
            "{\"model\":\"causal-lm\",\"layers\":1,\"width\":32,\"vocab\":256,\"length\":64}",
            CausalLm.Config.class)
        .build();
  }

  private static final SampleEncoder ENCODER =
      new SampleEncoder(new ByteTokenizer(), OptionalInt.of(0));

  /** The log-likelihood by the definition, token by token. */
  private static double naive(CausalLm model, EncodedSample sample) {
    int n = sample.ids().length;
    Tensor ids = Tensor.of(sample.ids(), 1, n).to(DType.INT64);
    double[] logits = model.logits(ids).toDoubles();
    double sum = 0;
    for (int t = 1; t < n; t++) {
      if (sample.learned()[t]) {
        double all = 0;
        for (int v = 0; v < 256; v++) {
          all += Math.exp(logits[(t - 1) * 256 + v]);
        }
        sum += logits[(t - 1) * 256 + sample.ids()[t]] - Math.log(all);
      }
    }
    return sum;
  }

  private static List<PreferenceOptimization.Pair> pairs(CausalLm model) {
    List<PreferenceOptimization.Pair> pairs = new ArrayList<>();
    for (String word : List.of("a", "longer answer", "b c")) {
      EncodedSample chosen = ENCODER.answered("what? ", word + " yes");
      EncodedSample rejected = ENCODER.answered("what? ", "no " + word.repeat(2));
      try (Mode mode = Autograd.noGrad()) {
        pairs.add(
            new PreferenceOptimization.Pair(
                chosen, rejected, naive(model, chosen), naive(model, rejected)));
      }
    }
    return pairs;
  }

  @Test
  void hasTheLossOfTheDefinition() {
    CausalLm model = model();
    List<PreferenceOptimization.Pair> pairs = pairs(model);
    for (PreferenceOptimization.Pair pair : pairs) {
      assertEquals(
          pair.referenceChosen(), PreferenceOptimization.logLikelihood(model, pair.chosen()), 1e-3);
    }
    PreferenceOptimization task =
        new PreferenceOptimization(model, pairs, pairs, BETA, pairs.size(), 1);
    assertEquals(Math.log(2), task.loss(0).item(), 1e-5, "nothing has changed yet");
    model
        .trained()
        .forEach(
            p ->
                p.copyFrom(
                    p.value().detach().add(Tensor.randn(p.value().shape().toArray()).mul(0.02))));
    double expected = 0;
    double preferred = 0;
    for (PreferenceOptimization.Pair pair : pairs) {
      double margin =
          naive(model, pair.chosen())
              - pair.referenceChosen()
              - naive(model, pair.rejected())
              + pair.referenceRejected();
      expected += Math.log(1 + Math.exp(-BETA * margin)) / pairs.size();
      preferred += margin > 0 ? 1.0 / pairs.size() : 0;
    }
    assertEquals(expected, task.loss(0).item(), 1e-4);
    assertEquals(expected, task.evaluate().loss(), 1e-4);
    assertEquals(preferred, task.evaluate().get("preferred"), 1e-9);
  }

  @Test
  void learnsToPrefer() {
    CausalLm model = model();
    List<PreferenceOptimization.Pair> pairs = pairs(model);
    PreferenceOptimization task = new PreferenceOptimization(model, pairs, pairs, BETA, 3, 1);
    model.train(true);
    try (AdamW optimizer = new AdamW(model, new AdamW.Config())) {
      for (int i = 0; i < 30; i++) {
        model.clearGrads();
        try (Scope scope = Scope.open()) {
          task.loss(i).backward();
        }
        optimizer.step(1e-3);
      }
    }
    model.train(false);
    assertEquals(1.0, task.evaluate().get("preferred"));
    assertTrue(task.evaluate().loss() < 0.3, "" + task.evaluate());
  }
}
