package dev.jformer.studies.compare;

import dev.jformer.run.LanguageModellingJob;
import dev.jformer.run.PreparedData;
import dev.jformer.run.Recipe;
import dev.jformer.run.TrainingOutcome;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.RecipeTrial;
import dev.jformer.studies.trial.TrainingResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Trains variants of a recipe under an equal budget and measures what each costs and brings.
 *
 * @param variants the base first
 * @param budget of each
 * @param seeds trainings of each
 * @param priority what matters most
 * @param tolerance how much worse than the base's a loss may be where something else matters more
 */
public record Comparison(
    List<Variant> variants, Budget budget, int seeds, Choice.Priority priority, double tolerance) {
  private static final int EVALUATIONS = 10;
  private static final int PACE_STEPS = 12;
  private static final int EVALUATION_BATCHES = 40;

  /** Checks the values. */
  public Comparison {
    if (variants.size() < 2) {
      throw new IllegalArgumentException("there is nothing to compare with: name techniques");
    }
    if (seeds < 1) {
      throw new IllegalArgumentException("seeds is " + seeds + ": expected at least 1");
    }
    if (!(tolerance >= 0)) {
      throw new IllegalArgumentException("tolerance is " + tolerance + ": expected at least 0");
    }
  }

  private record Pace(double secondsPerStep, double flopsPerStep) {}

  /**
   * Measures language models on the laboratory's text; see {@link #run(ExperimentContext,
   * PreparedData)}.
   */
  public Choice run(ExperimentContext lab) {
    return run(lab, LanguageModellingJob.of(lab.text()));
  }

  /**
   * Measures and fills the report.
   *
   * @param data what all variants learn from
   * @return what was chosen
   */
  public Choice run(ExperimentContext lab, PreparedData data) {
    List<Result> results = new ArrayList<>();
    for (Variant variant : variants) {
      Recipe recipe = variant.recipe();
      int steps = steps(lab, variant, data);
      Recipe budgeted = recipe.withTraining(recipe.training().withSteps(steps, EVALUATIONS));
      RecipeTrial trial = new RecipeTrial(budgeted, data, EVALUATION_BATCHES);
      List<TrainingResult> runs = lab.learn(variant.name() + ", " + budget, trial, seeds);
      Inference inference =
          lab.measure(
              variant.name() + ", inference",
              Inference.class,
              () -> Inference.measure(recipe, data));
      results.add(new Result(variant.name(), runs, inference));
    }
    Choice choice = Choice.of(results, priority, tolerance);
    lab.summary(
        String.format(
            Locale.ROOT,
            "For %s, take %s: %s.",
            priority.name().toLowerCase(Locale.ROOT),
            choice.result().name(),
            choice.reason()));
    report(lab, results);
    return choice;
  }

  /** How many updates the budget pays for. */
  private int steps(ExperimentContext lab, Variant variant, PreparedData data) {
    if (budget.kind() == Budget.Kind.STEPS) {
      return (int) Math.min(Integer.MAX_VALUE, budget.amount());
    }
    Pace pace =
        lab.measure(
            variant.name() + ", pace",
            Pace.class,
            () -> {
              Recipe recipe = variant.recipe();
              Recipe few = recipe.withTraining(recipe.training().withSteps(PACE_STEPS, 1));
              TrainingOutcome brief = new RecipeTrial(few, data, 1).outcome();
              double units = brief.unitsPerStep();
              return new Pace(units / brief.unitsPerSecond(), units * brief.flopsPerUnit());
            });
    double each =
        budget.kind() == Budget.Kind.SECONDS ? pace.secondsPerStep() : pace.flopsPerStep();
    if (!(each > 0)) {
      throw new IllegalArgumentException(
          "the variant "
              + variant.name()
              + " has no matrix products to count: give a budget in steps or time");
    }
    double steps = Math.floor(budget.amount() / each);
    if (steps < 1) {
      throw new IllegalArgumentException(
          "the budget of "
              + budget
              + " does not pay for one step of "
              + variant.name()
              + ": give more");
    }
    return (int) Math.min(Integer.MAX_VALUE, steps);
  }

  private void report(ExperimentContext lab, List<Result> results) {
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> front = new ArrayList<>();
    List<Figure.Series> curves = new ArrayList<>();
    List<Figure.Series> overTime = new ArrayList<>();
    for (Result r : results) {
      boolean onFront = Choice.isOnFront(r, results);
      TrainingResult first = r.runs().get(0);
      rows.add(
          Table.row(
              r.name() + (onFront ? " *" : ""),
              r.loss(),
              seeds > 1 ? "± " + dev.jformer.studies.evidence.Check.number(r.spread()) : "",
              first.steps(),
              r.trainingTokens(),
              r.inference().readTokens(),
              r.inference().writtenTokens(),
              r.peakBytes() < 0 ? Double.NaN : r.peakBytes() / (1 << 20),
              r.inference().stateBytes() / (1 << 10),
              r.parameters() / 1e6,
              4.0 * r.parameters() / (1 << 20),
              r.flops() / 1e6));
      front.add(
          Figure.Series.point(r.name() + (onFront ? " *" : ""), r.trainingTokens(), r.loss()));
      curves.add(curve(r, first, p -> (double) p.step()));
      overTime.add(curve(r, first, TrainingResult.Point::seconds));
    }
    lab.table(
        new Table(
            "Each with "
                + budget
                + "; * on the Pareto front of loss, training speed, memory, weights",
            List.of(
                "variant",
                "loss",
                "spread",
                "steps",
                "training, units/s",
                "reading, units/s",
                "writing, tokens/s",
                "peak memory, MiB",
                "state, KiB",
                "weights, M",
                "size, MiB",
                "Mflop/unit"),
            rows));
    lab.figure(
        new Figure(
            "Loss against training speed", "training, units/s", "loss", false, false, front));
    lab.figure(new Figure("Held-out loss by step", "steps", "loss", false, false, curves));
    lab.figure(
        new Figure("Held-out loss by time", "seconds of training", "loss", false, false, overTime));
    lab.note(
        "Peak memory is what training took beyond what the process held before; operations are those of"
            + " matrix products, forward and backward; the state is what writing one sequence of the"
            + " model's length keeps. Units are those of the task: tokens, texts, images or windows.");
    for (Result r : results) {
      if (r.runs().stream().anyMatch(TrainingResult::diverged)) {
        lab.note(r.name() + " diverged: its loss ceased to be a number.");
      }
    }
  }

  private static Figure.Series curve(
      Result r, TrainingResult run, java.util.function.Function<TrainingResult.Point, Double> x) {
    return Figure.Series.line(
        r.name(),
        run.validation().stream().map(x).toList(),
        run.validation().stream().map(TrainingResult.Point::loss).toList());
  }
}
