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
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.trial.Timings;
import dev.jformer.train.Task;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Trains variants with an equal budget, and saves the trained models.
 *
 * @param models folder for trained models
 */
record VariantTrainer(ExperimentContext context, PreparedData data, Budget budget, Path models) {
  /** Rounds in which the variants take turns to show their speed. */
  private static final int ROUNDS = 3;

  /** The maximum number of held-out batches in an evaluation. */
  static final int EVALUATION_BATCHES = 40;

  private static final int EVALUATIONS = 10;
  private static final int PACE_STEPS = 6;

  /**
   * The speed and the cost of training.
   *
   * @param speed in units a second
   * @param units of an update
   * @param flops of an update; NaN if they are unknown
   */
  record Pace(Estimate speed, double units, double flops) {
    double secondsPerStep() {
      return units / speed.value();
    }
  }

  /** The paces of variants, measured together. */
  record Paces(List<Pace> all) {}

  /** Trains a variant once for each seed. */
  List<TrainingOutcome> train(Variant variant, Pace pace, int seeds) {
    int steps = steps(variant, pace);
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
  int steps(Variant variant, Pace pace) {
    if (budget.kind() == Budget.Kind.STEPS) {
      return (int) Math.min(Integer.MAX_VALUE, budget.amount());
    }
    double each = budget.kind() == Budget.Kind.SECONDS ? pace.secondsPerStep() : pace.flops();
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

  /**
   * Measures the paces of variants in short trainings. The variants take turns, so that changes of
   * the machine's speed affect all of them alike.
   */
  List<Pace> paces(List<Variant> variants) {
    String names = String.join(", ", variants.stream().map(Variant::name).toList());
    return context
        .measure("training speed of " + names, Paces.class, () -> new Paces(measured(variants)))
        .all();
  }

  private List<Pace> measured(List<Variant> variants) {
    Map<Variant, List<TrainingOutcome>> rounds = new LinkedHashMap<>();
    for (int round = 0; round < ROUNDS; round++) {
      for (Variant variant : variants) {
        rounds.computeIfAbsent(variant, v -> new ArrayList<>()).add(brief(variant.recipe()));
      }
    }
    return rounds.values().stream().map(VariantTrainer::pace).toList();
  }

  private static Pace pace(List<TrainingOutcome> rounds) {
    TrainingOutcome last = rounds.get(rounds.size() - 1);
    List<Double> speeds = rounds.stream().map(TrainingOutcome::unitsPerSecond).toList();
    double units = last.unitsPerStep();
    return new Pace(Timings.Statistics.of(speeds).estimate(), units, units * last.flopsPerUnit());
  }

  private TrainingOutcome brief(Recipe recipe) {
    Recipe brief = recipe.withTraining(recipe.training().withSteps(PACE_STEPS, 1));
    return run(Training.of(brief, data).withOwnShape().withEvaluationBatches(1).withMeasurements());
  }
}
