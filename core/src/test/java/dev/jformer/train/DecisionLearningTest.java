package dev.jformer.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import dev.jformer.data.decision.BestPolicy;
import dev.jformer.data.decision.InteractionSource;
import dev.jformer.data.decision.Interactions;
import dev.jformer.data.decision.LinUcb;
import dev.jformer.data.decision.LinearBandit;
import dev.jformer.data.decision.LinearBandits;
import dev.jformer.data.decision.Policy;
import dev.jformer.data.decision.TabularMdps;
import dev.jformer.data.decision.UniformPolicy;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.recurrent.Lstm;
import dev.jformer.model.DecisionModel;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models that learn to decide, and how they act. */
class DecisionLearningTest {
  private static LinearBandits bandits(int steps) {
    return new LinearBandits(2, 3, steps, 0.3, LinearBandits.Weights.UNIFORM);
  }

  private static DecisionModel model(int steps, TokenMixer.Config mixer) {
    Random.seed(1);
    DecisionModel model =
        new DecisionModel.Config()
            .with(c -> c.observations(6).actions(3).descriptions(2).steps(steps))
            .withStack(s -> s.layers(2).width(16))
            .withBlock(b -> b.mixer(mixer))
            .build();
    model.train(false);
    return model;
  }

  private static InteractionSource<LinearBandit> source(LinearBandits problem, int batch) {
    return new InteractionSource<>(
        problem, new UniformPolicy<>(3), new BestPolicy<>(), false, batch, 2);
  }

  private static Tensor observations(Interactions some) {
    return Tensor.of(some.observations(), some.count(), some.steps(), 6);
  }

  private static Tensor actions(Interactions some) {
    return Tensor.of(some.actions(), some.count(), some.steps());
  }

  private static Tensor outcomes(Interactions some) {
    return Tensor.of(some.outcomes(), some.count(), some.steps(), 3);
  }

  /** Acting step by step gives the logits of the whole interaction. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 63, 64, 65, 129})
  void actsAsItReads(int steps) {
    Interactions some = source(bandits(steps), 5).training(0);
    for (TokenMixer.Config mixer :
        new TokenMixer.Config[] {new SoftmaxAttention.Config(2, 0), new Lstm.Config()}) {
      try (DecisionModel model = model(steps, mixer);
          Scope scope = Scope.open();
          Mode mode = Autograd.noGrad();
          DecisionModel.Acting acting = model.act(5)) {
        Tensor all = model.logits(observations(some), actions(some), outcomes(some));
        for (int t = 0; t < steps; t++) {
          Tensor next =
              acting.next(
                  observations(some).select(1, t),
                  t == 0 ? null : actions(some).select(1, t - 1),
                  t == 0 ? null : outcomes(some).select(1, t - 1));
          assertArrayEquals(
              all.select(1, t).contiguous().toFloats(), next.contiguous().toFloats(), 1e-5f);
        }
      }
    }
  }

  @Test
  void seesOnlyWhatWasBefore() {
    Interactions some = source(bandits(10), 4).training(0);
    Interactions other = source(bandits(10), 4).training(1);
    try (DecisionModel model = model(10, new SoftmaxAttention.Config(2, 0));
        Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor all = model.logits(observations(some), actions(some), outcomes(some));
      // The outcome of step 6 and all that follows are another interaction's.
      Tensor changed =
          model.logits(
              joined(observations(some), observations(other), 7),
              joined(actions(some), actions(other), 6),
              joined(outcomes(some), outcomes(other), 6));
      assertArrayEquals(floats(all, 0, 7), floats(changed, 0, 7), 1e-6f);
      float[] after = floats(all, 7, 1);
      float[] afterChange = floats(changed, 7, 1);
      assertFalse(java.util.Arrays.equals(after, afterChange));
    }
  }

  private static Tensor joined(Tensor first, Tensor second, int at) {
    return Tensor.cat(1, first.narrow(1, 0, at), second.narrow(1, at, 10 - at));
  }

  private static float[] floats(Tensor logits, int from, int count) {
    return logits.narrow(1, from, count).contiguous().toFloats();
  }

  /** In some hundred environments, thus in several batches, a model acts by its own actions. */
  @Test
  void actsInEnvironments() {
    LinearBandits problem = bandits(9);
    try (DecisionModel model = model(9, new SoftmaxAttention.Config(2, 0));
        Scope scope = Scope.open()) {
      try (Mode mode = Autograd.noGrad()) {
        // The head has no weights but a bias for the arm 1, which it so takes always.
        model.parameters().get("head.weight").value().zero_();
        model.parameters().get("head.bias").value().copy_(Tensor.of(new float[] {0, 50, 0}, 3));
      }
      Policy<LinearBandit> always = new Always(1);
      RegretCurve expected = RegretCurve.of(problem, always, 300, 5);
      for (RegretCurve.Choice choice : RegretCurve.Choice.values()) {
        RegretCurve curve = RegretCurve.of(problem, model, choice, 300, 5);
        assertEquals(expected.totals(), curve.totals());
        assertEquals(expected.regrets(), curve.regrets());
        assertEquals(9, curve.regrets().size());
      }
      assertTrue(expected.total() > 0);
    }
  }

  /** A policy that takes one arm. */
  private record Always(int arm) implements Policy<LinearBandit> {
    @Override
    public String name() {
      return "always";
    }

    @Override
    public Run start(LinearBandit environment) {
      return new Run() {
        @Override
        public int choose(SplittableRandom random) {
          return arm;
        }

        @Override
        public void learn(int action, double reward) {}
      };
    }
  }

  /** Sampled actions have the probabilities of the logits. */
  @Test
  void samplesByItsLogits() {
    LinearBandits problem = bandits(1);
    try (DecisionModel model = model(1, new SoftmaxAttention.Config(2, 0));
        Scope scope = Scope.open()) {
      try (Mode mode = Autograd.noGrad()) {
        model.parameters().get("head.weight").value().zero_();
        float[] logits = {(float) Math.log(0.2), (float) Math.log(0.5), (float) Math.log(0.3)};
        model.parameters().get("head.bias").value().copy_(Tensor.of(logits, 3));
      }
      int count = 4000;
      double sampled = RegretCurve.of(problem, model, RegretCurve.Choice.SAMPLED, count, 6).total();
      double[] each = new double[3];
      double square = 0;
      for (int arm = 0; arm < 3; arm++) {
        RegretCurve curve = RegretCurve.of(problem, new Always(arm), count, 6);
        each[arm] = curve.total();
        square += curve.totals().stream().mapToDouble(x -> x * x).average().orElseThrow() / 3;
      }
      double expected = 0.2 * each[0] + 0.5 * each[1] + 0.3 * each[2];
      assertEquals(expected, sampled, 5 * Math.sqrt(square / count));
    }
  }

  @Test
  void learnsToPredictAnExpert() {
    LinearBandits problem = bandits(12);
    Policy<LinearBandit> expert = new LinUcb(1, 1);
    try (DecisionModel model = model(12, new SoftmaxAttention.Config(2, 0))) {
      model.train(true);
      DecisionLearning task =
          new DecisionLearning(
              model, new InteractionSource<>(problem, expert, expert, false, 32, 3), 100);
      TrainingConfig training =
          new TrainingConfig()
              .with(
                  t ->
                      t.steps(120)
                          .batch(32)
                          .learningRate(3e-3)
                          .evaluateEvery(120)
                          .checkpointEvery(120));
      Metrics before = task.evaluate();
      assertEquals(Math.log(3), before.primary().value(), 0.1);
      try (Trainer trainer = new Trainer(model, task, training, null)) {
        Metrics after = trainer.run().last();
        assertTrue(after.primary().value() < 0.75, "" + after);
        assertTrue(after.get(Metric.ACCURACY) > before.get(Metric.ACCURACY) + 0.15, "" + after);
      }
    }
  }

  @Test
  void refusesWhatDoesNotFit() {
    try (DecisionModel model = model(10, new SoftmaxAttention.Config(2, 0))) {
      DataException longer =
          assertThrows(
              DataException.class, () -> new DecisionLearning(model, source(bandits(11), 4), 10));
      assertTrue(longer.getMessage().contains("11 steps, but the model reads 10"));
      TabularMdps other = new TabularMdps();
      assertThrows(
          DataException.class,
          () -> RegretCurve.of(other, model, RegretCurve.Choice.SAMPLED, 3, 1));
      try (Scope scope = Scope.open();
          DecisionModel.Acting acting = model.act(2)) {
        IllegalArgumentException wrong =
            assertThrows(
                IllegalArgumentException.class, () -> acting.next(Tensor.zeros(2, 5), null, null));
        assertTrue(wrong.getMessage().contains("5 numbers, but the model reads 6"));
        acting.next(Tensor.zeros(2, 6), null, null);
        assertThrows(
            IllegalArgumentException.class, () -> acting.next(Tensor.zeros(2, 6), null, null));
      }
    }
  }
}
