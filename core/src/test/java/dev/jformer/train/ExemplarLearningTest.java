package dev.jformer.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.incontext.BurstySequences;
import dev.jformer.data.incontext.BurstySequences.Kind;
import dev.jformer.model.ExemplarModel;
import dev.jformer.model.StackConfig;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Models that predict the label of the last item. */
@ExtendWith(Scoped.class)
class ExemplarLearningTest {
  private static ExemplarModel model() {
    Random.seed(1);
    return new ExemplarModel.Config(8, 4, 9, new StackConfig())
        .withStack(s -> s.layers(1).width(16))
        .build();
  }

  @Test
  void theLastLabelIsNotSeenAndAllOthersAre() {
    ExemplarModel model = model();
    model.train(false);
    try (Mode mode = Autograd.noGrad()) {
      Tensor items = Tensor.randn(1, 9, 8);
      long[] labels = {0, 1, 2, 3, 0, 1, 2, 3, 0};
      Tensor before = model.logits(items, Tensor.of(labels, 1, 9));
      assertEquals("[1, 4]", java.util.Arrays.toString(before.shape().toArray()));
      for (int t = 0; t < 9; t++) {
        long[] other = labels.clone();
        other[t] = (other[t] + 1) % 4;
        boolean same = before.sameAs(model.logits(items, Tensor.of(other, 1, 9)));
        assertEquals(t == 8, same, "label " + t);
      }
    }
  }

  /** Few classes that are seen again and again are learned by heart. */
  @Test
  void learnsFewClassesInWeights() {
    ExemplarModel model = model();
    BurstySequences sequences = new BurstySequences(16, 4, 8, 0.1, 0, 0, 3);
    ExemplarLearning task = new ExemplarLearning(model, sequences, 64, 1, 400);
    double before = task.accuracy(Kind.IN_WEIGHTS);
    TrainingConfig training =
        new TrainingConfig().withSteps(250).withLearningRate(5e-3).withEvaluateEvery(250);
    try (Trainer trainer = new Trainer(model, task, training, null)) {
      trainer.run();
    }
    model.train(false);
    assertTrue(before < 0.6, "untrained " + before);
    assertTrue(task.accuracy(Kind.IN_WEIGHTS) > 0.8, "" + task.evaluate());
  }

  @Test
  void whatDoesNotFitIsRefused() {
    ExemplarModel model = model();
    assertThrows(
        IllegalArgumentException.class,
        () -> new ExemplarLearning(model, new BurstySequences(16, 5, 8, 0.1, 0, 0, 3), 4, 1, 4));
    assertThrows(
        IllegalArgumentException.class,
        () -> new ExemplarLearning(model, new BurstySequences(16, 4, 7, 0.1, 0, 0, 3), 4, 1, 4));
  }
}
