package dev.jformer.run;

import dev.jformer.config.Checks;
import dev.jformer.train.Objective;
import dev.jformer.train.TrainingConfig;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * A first part of a run, in which the model learns another objective on the same data, such as
 * {@link dev.jformer.train.Denoising}. The training itself then begins with its last weights, a new
 * optimizer and the whole schedule. It follows <a href="https://arxiv.org/abs/2310.02980">Never
 * Train from Scratch: Fair Comparison of Long-Sequence Models Requires Data-Driven Priors</a>.
 *
 * @param objective what is learned first; {@code plain} for no pretraining
 * @param steps number of updates; 0 for as many as the training has
 * @param learningRate the peak learning rate; 0 for that of the training
 */
@RecordBuilder
public record Pretraining(Objective objective, int steps, double learningRate)
    implements PretrainingBuilder.With {
  /** Defaults: no pretraining. */
  public Pretraining() {
    this(new Objective.Plain(), 0, 0);
  }

  /** Checks the values. */
  public Pretraining {
    Checks.notNull("objective", objective);
    Checks.check(
        objective.teacherFolder().isEmpty(),
        "objective",
        objective.type(),
        "one without a teacher in a folder");
    Checks.atLeast("steps", steps, 0);
    Checks.atLeast("learningRate", learningRate, 0);
  }

  /** Whether there is none. */
  public boolean isNone() {
    return objective instanceof Objective.Plain;
  }

  /** The settings of the pretraining of a run. */
  TrainingConfig settings(TrainingConfig training) {
    return training.with(
        t ->
            t.steps(steps == 0 ? training.steps() : steps)
                .learningRate(learningRate == 0 ? training.learningRate() : learningRate)
                .patience(0));
  }
}
