package dev.jformer.train;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.data.DataException;
import dev.jformer.data.incontext.Conjunctions;
import dev.jformer.data.incontext.ConstantLearner;
import dev.jformer.data.incontext.FunctionClass;
import dev.jformer.data.incontext.LeastSquaresLearner;
import dev.jformer.data.incontext.LinearFunctions;
import dev.jformer.data.incontext.NoisyLinearFunctions;
import dev.jformer.data.incontext.PromptSource;
import dev.jformer.data.incontext.Prompts;
import dev.jformer.data.incontext.RidgeLearner;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.model.InContextModel;
import dev.jformer.model.InContextModel.Prediction;
import dev.jformer.position.LearnedPosition;
import dev.jformer.position.NoPosition;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Models that learn in context: what they may see, their losses, and that they learn. */
@ExtendWith(Scoped.class)
class InContextLearningTest {
  private static InContextModel model(Prediction prediction, int inputs, String mixer) {
    Random.seed(2);
    InContextModel.Config config =
        new InContextModel.Config()
            .with(c -> c.inputs(inputs).length(12).prediction(prediction))
            .withStack(s -> s.layers(2).width(16).position(new NoPosition.Config()))
            .withBlock(
                b ->
                    b.mixer(
                        Configs.parse("{\"type\":\"" + mixer + "\"}", TokenMixer.Config.class)));
    return config.build();
  }

  /** A prediction sees its own x and the pairs before, not its own y and nothing later. */
  @ParameterizedTest
  @ValueSource(strings = {"softmax", "lstm", "retention", "s4d", "hyena", "convolution"})
  void aPredictionSeesWhatComesBefore(String mixer) {
    InContextModel model = Weights.draw(model(Prediction.GAUSSIAN, 3, mixer));
    model.train(false);
    try (Mode mode = Autograd.noGrad()) {
      Tensor x = Tensor.randn(2, 9, 3).to(DType.FLOAT64);
      Tensor y = Tensor.randn(2, 9).to(DType.FLOAT64);
      Tensor before = model.predict(x, y);
      assertEquals("[2, 9, 2]", java.util.Arrays.toString(before.shape().toArray()));
      Tensor otherY = y.copy();
      otherY.narrow(1, 4, 5).fill_(7);
      Tensor changed = model.predict(x, otherY);
      assertTrue(before.narrow(1, 0, 5).sameAs(changed.narrow(1, 0, 5)), "its own y is not seen");
      assertTrue(
          before.narrow(1, 5, 1).sub(changed.narrow(1, 5, 1)).abs().max().item() > 1e-6,
          "the y before is seen");
      Tensor otherX = x.copy();
      otherX.narrow(1, 4, 5).fill_(7);
      changed = model.predict(otherX, y);
      assertTrue(before.narrow(1, 0, 4).sameAs(changed.narrow(1, 0, 4)), "no later x is seen");
      assertTrue(
          before.narrow(1, 4, 1).sub(changed.narrow(1, 4, 1)).abs().max().item() > 1e-6,
          "its own x is seen");
    }
  }

  @ParameterizedTest
  @EnumSource
  void lossesAreMinusLogDensities(Prediction prediction) {
    Tensor predicted = Tensor.randn(3, 5, prediction.numbers()).to(DType.FLOAT64);
    Tensor y = prediction == Prediction.SIGN ? Tensor.randn(3, 5).sign() : Tensor.randn(3, 5);
    double[] numbers = predicted.toDoubles();
    double[] outputs = y.toDoubles();
    double[] expected = new double[outputs.length];
    for (int i = 0; i < outputs.length; i++) {
      double first = numbers[i * prediction.numbers()];
      switch (prediction) {
        case VALUE -> expected[i] = Math.pow(first - outputs[i], 2);
        case GAUSSIAN -> {
          double variance = Math.exp(numbers[2 * i + 1]);
          double density =
              Math.exp(-Math.pow(first - outputs[i], 2) / (2 * variance))
                  / Math.sqrt(2 * Math.PI * variance);
          expected[i] = -Math.log(density) - 0.5 * Math.log(2 * Math.PI);
        }
        default -> expected[i] = -Math.log(1 / (1 + Math.exp(-first * outputs[i])));
      }
    }
    assertClose(expected, prediction.loss(predicted, y.to(DType.FLOAT64)), 1e-6, "losses");
  }

  /** The curve is the mean over prompts, one by one, of errors by the number of examples. */
  @Test
  void curvesAreMeansOverPrompts() {
    for (boolean isBoolean : new boolean[] {false, true}) {
      FunctionClass functions =
          isBoolean ? new Conjunctions(4, 0.3, 0, 0.3, false, false) : new LinearFunctions(4);
      InContextModel model = model(isBoolean ? Prediction.SIGN : Prediction.VALUE, 4, "softmax");
      Prompts prompts = new PromptSource(functions, 10, 1, 3).heldOut(70);
      ErrorCurve curve = ErrorCurve.of(model, prompts, isBoolean);
      double[] expected = new double[10];
      for (int row = 0; row < 70; row++) {
        Tensor x = InContextLearning.inputs(prompts, row, 1);
        Tensor y = InContextLearning.outputs(prompts, row, 1);
        double[] said = model.predict(x, y).detach().toDoubles();
        for (int t = 0; t < 10; t++) {
          double truth = prompts.output(row, t);
          expected[t] +=
              isBoolean
                  ? (Math.signum(said[t]) == truth ? 0 : 1.0 / 70)
                  : Math.pow(said[t] - truth, 2) / 70;
        }
      }
      for (int t = 0; t < 10; t++) {
        assertEquals(expected[t], curve.errors().get(t), 1e-4);
      }
      assertEquals((expected[3] + expected[4]) / 2, curve.mean(3, 5), 1e-4);
    }
    Prompts linear = new PromptSource(new LinearFunctions(4), 10, 1, 3).heldOut(200);
    ErrorCurve solved = ErrorCurve.of(new LeastSquaresLearner(), linear, false);
    assertEquals(4, solved.errors().get(0), 1, "nothing is known");
    assertEquals(0, solved.mean(4), 1e-9, "all is known");
  }

  /** Densities are the losses and the constant; errors may be judged by other outputs. */
  @Test
  void densitiesAndOtherOutputs() {
    InContextModel model = model(Prediction.GAUSSIAN, 4, "softmax");
    PromptSource source = new PromptSource(new NoisyLinearFunctions(4, 0.1, 2), 10, 1, 3);
    Prompts prompts = source.heldOut(70);
    double loss = new InContextLearning(model, source, 70).evaluate().loss();
    ErrorCurve densities = ErrorCurve.ofDensity(model, prompts);
    assertEquals(loss + 0.5 * Math.log(2 * Math.PI), densities.mean(0), 1e-5);
    Prompts truth = Prompts.of(70, 10, 4);
    ErrorCurve zero = ErrorCurve.of(new ConstantLearner(), prompts, truth, false);
    assertEquals(0, zero.errors().get(0));
    double sum = 0;
    for (int row = 0; row < 70; row++) {
      sum += Math.pow(prompts.output(row, 0), 2) / 70;
    }
    assertEquals(sum, zero.errors().get(1), 1e-9);
    double ridge = ErrorCurve.ofDensity(new RidgeLearner(1), prompts).errors().get(0);
    double expected = 0;
    for (int row = 0; row < 70; row++) {
      double variance = 1;
      for (double x : prompts.input(row, 0)) {
        variance += x * x;
      }
      double y = prompts.output(row, 0);
      expected += 0.5 * (Math.log(2 * Math.PI * variance) + y * y / variance) / 70;
    }
    assertEquals(expected, ridge, 1e-9);
  }

  /** A little training brings it near the solver, and far from what knows nothing. */
  @Test
  void learnsInContext() {
    InContextModel model = model(Prediction.VALUE, 1, "softmax");
    PromptSource source = new PromptSource(new LinearFunctions(1), 8, 64, 1);
    InContextLearning task = new InContextLearning(model, source, 200);
    double before = task.evaluate().get("squared error");
    TrainingConfig training =
        new TrainingConfig().withSteps(300).withLearningRate(3e-3).withEvaluateEvery(300);
    try (Trainer trainer = new Trainer(model, task, training, null)) {
      trainer.run();
    }
    model.train(false);
    ErrorCurve after = ErrorCurve.of(model, task.heldOut(), false);
    assertTrue(before > 0.8, "untrained " + before);
    assertTrue(after.mean(2) < 0.25 * before, "trained " + after);
    assertTrue(after.errors().get(0) > 2 * after.mean(2), "it learns from examples " + after);
  }

  @Test
  void whatDoesNotFitIsRefused() {
    PromptSource source = new PromptSource(new LinearFunctions(4), 10, 2, 3);
    var inputs =
        assertThrows(
            DataException.class,
            () -> new InContextLearning(model(Prediction.VALUE, 3, "softmax"), source, 5));
    assertTrue(inputs.getMessage().contains("4 inputs"), inputs.getMessage());
    var outputs =
        assertThrows(
            DataException.class,
            () -> new InContextLearning(model(Prediction.SIGN, 4, "softmax"), source, 5));
    assertTrue(outputs.getMessage().contains("any numbers"), outputs.getMessage());
    InContextModel.Config config =
        new InContextModel.Config()
            .with(c -> c.inputs(4).length(5))
            .withStack(s -> s.layers(1).width(8).position(new LearnedPosition.Config()));
    var length =
        assertThrows(DataException.class, () -> new InContextLearning(config.build(), source, 5));
    assertTrue(length.getMessage().contains("10 examples"), length.getMessage());
    InContextModel model = config.build();
    var wide =
        assertThrows(
            IllegalArgumentException.class,
            () -> model.predict(Tensor.randn(1, 3, 5), Tensor.randn(1, 3)));
    assertTrue(wide.getMessage().contains("5 inputs"), wide.getMessage());
    assertThrows(
        IllegalArgumentException.class,
        () -> model.predict(Tensor.randn(1, 6, 4), Tensor.randn(1, 6)));
  }
}
