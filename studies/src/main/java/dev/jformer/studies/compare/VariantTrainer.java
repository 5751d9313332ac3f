package dev.jformer.studies.compare;

import dev.jformer.io.FileTree;
import dev.jformer.model.Model;
import dev.jformer.run.PreparedData;
import dev.jformer.run.Recipe;
import dev.jformer.run.Training;
import dev.jformer.run.TrainingObserver;
import dev.jformer.run.TrainingOutcome;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Trial;
import dev.jformer.train.Task;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Trains variants with an equal budget, and saves the trained models.
 *
 * @param models folder for trained models
 */
record VariantTrainer(ExperimentContext context, PreparedData data, Budget budget, Path models) {
  /** The maximum number of held-out batches in an evaluation. */
  static final int EVALUATION_BATCHES = 40;

  private static final int EVALUATIONS = 10;
  private static final int PACE_STEPS = 12;

  /** The cost of an update. */
  record Pace(double secondsPerStep, double flopsPerStep) {}

  /** Trains a variant once for each seed. */
  List<TrainingOutcome> train(Variant variant, int seeds) {
    int steps = steps(variant);
    Trial<TrainingOutcome> trial =
        Trial.of(TrainingOutcome.class, session -> train(variant, steps, session));
    return context.learn(variant.name() + ", " + budget, trial, seeds);
  }

  private TrainingOutcome train(Variant variant, int steps, Trial.Session session) {
    Recipe recipe = variant.recipe();
    Recipe budgeted =
        recipe
            .withTraining(recipe.training().withSteps(steps, EVALUATIONS))
            .withSeed(session.seed());
    return run(
        Training.of(budgeted, data)
            .withOwnShape()
            .withEvaluationBatches(EVALUATION_BATCHES)
            .withMeasurements()
            .withCheckpoints(session.unfinished())
            .withObserver(new Keeper(folder(variant, session.seed()), steps, session.progress())));
  }

  private static TrainingOutcome run(Training training) {
    try {
      return training.run();
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot read the pretrained model that the training starts from", e);
    }
  }

  /** Returns the folder of the trained model of a seed. */
  Path folder(Variant variant, long seed) {
    String readable = variant.name().replaceAll("[^A-Za-z0-9.]+", "-");
    String unique = Integer.toHexString((variant.name() + budget).hashCode());
    return models.resolve(readable + "-" + unique + "-seed-" + seed);
  }

  /** Saves the model of the last evaluation, and reports the progress. */
  private final class Keeper implements TrainingObserver {
    private final Path folder;
    private final int steps;
    private final Trial.Progress progress;
    private Model model;

    Keeper(Path folder, int steps, Trial.Progress progress) {
      this.folder = folder;
      this.steps = steps;
      this.progress = progress;
    }

    @Override
    public void begun(Model begun, Task task, long step) {
      model = begun;
      if (step == 0) {
        remove(); // a model of other conditions must not stand for one that diverges
      }
    }

    private void remove() {
      try {
        FileTree.delete(folder);
      } catch (IOException e) {
        throw new UncheckedIOException("cannot delete the earlier model in " + folder, e);
      }
    }

    @Override
    public void step(Step step) {
      progress.at(
          (double) step.step() / steps,
          String.format(
              Locale.ROOT, "loss %.3f, %,.0f units/s", step.loss(), step.unitsPerSecond()));
    }

    @Override
    public void evaluation(Evaluation evaluation) {
      if (evaluation.step() < steps) {
        return;
      }
      remove();
      try {
        Files.createDirectories(folder);
        data.save(model, folder);
      } catch (IOException e) {
        throw new UncheckedIOException("cannot save the trained model in " + folder, e);
      }
    }
  }

  /** Returns the number of updates within the budget. */
  private int steps(Variant variant) {
    if (budget.kind() == Budget.Kind.STEPS) {
      return (int) Math.min(Integer.MAX_VALUE, budget.amount());
    }
    Pace pace =
        context.measure(variant.name() + ", pace", Pace.class, () -> pace(variant.recipe()));
    double each =
        budget.kind() == Budget.Kind.SECONDS ? pace.secondsPerStep() : pace.flopsPerStep();
    if (!(each > 0)) {
      throw new IllegalArgumentException(
          "the variant "
              + variant.name()
              + " has no matrix products to count: set a budget in steps or time, for example 10m");
    }
    double steps = Math.floor(budget.amount() / each);
    if (steps < 1) {
      throw new IllegalArgumentException(
          "the budget of "
              + budget
              + " is not enough for one step of "
              + variant.name()
              + ": set a larger one");
    }
    return (int) Math.min(Integer.MAX_VALUE, steps);
  }

  private Pace pace(Recipe recipe) {
    Recipe brief = recipe.withTraining(recipe.training().withSteps(PACE_STEPS, 1));
    TrainingOutcome outcome =
        run(Training.of(brief, data).withOwnShape().withEvaluationBatches(1).withMeasurements());
    double units = outcome.unitsPerStep();
    return new Pace(units / outcome.unitsPerSecond(), units * outcome.flopsPerUnit());
  }
}
