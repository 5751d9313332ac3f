package dev.jformer.studies.compare;

import dev.jformer.model.CausalLm;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.train.TrainingConfig;
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

  /** Measures and fills the report; returns what was chosen. */
  public Choice run(ExperimentContext lab) {
    List<Result> results = new ArrayList<>();
    for (Variant variant : variants) {
      CausalLm.Config model = (CausalLm.Config) variant.recipe().model();
      TrainingConfig training = variant.recipe().training();
      int steps = steps(lab, variant, model, training);
      LanguageTrial trial =
          new LanguageTrial(model, training.withSteps(steps, EVALUATIONS))
              .withObjective(variant.recipe().objective());
      List<TrainingResult> runs = lab.learn(variant.name() + ", " + budget, trial, seeds);
      Inference inference =
          lab.measure(
              variant.name() + ", inference", Inference.class, () -> Inference.measure(model));
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
  private int steps(
      ExperimentContext lab, Variant variant, CausalLm.Config model, TrainingConfig training) {
    if (budget.kind() == Budget.Kind.STEPS) {
      return (int) Math.min(Integer.MAX_VALUE, budget.amount());
    }
    Pace pace =
        lab.measure(
            variant.name() + ", pace",
            Pace.class,
            () -> {
              TrainingResult brief =
                  new LanguageTrial(model, training.withSteps(PACE_STEPS, 1), 1, null)
                      .withObjective(variant.recipe().objective())
                      .run(lab.text(), (done, detail) -> {}, null);
              double tokens = (double) training.batch() * training.accumulate() * model.length();
              return new Pace(tokens / brief.unitsPerSecond(), tokens * brief.flopsPerUnit());
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
                "loss, nats/token",
                "spread",
                "steps",
                "training, tokens/s",
                "reading, tokens/s",
                "writing, tokens/s",
                "peak memory, MiB",
                "state, KiB",
                "weights, M",
                "size, MiB",
                "Mflop/token"),
            rows));
    lab.figure(
        new Figure(
            "Loss against training speed",
            "training, tokens/s",
            "loss, nats/token",
            false,
            false,
            front));
    lab.figure(
        new Figure("Held-out loss by step", "steps", "loss, nats/token", false, false, curves));
    lab.figure(
        new Figure(
            "Held-out loss by time",
            "seconds of training",
            "loss, nats/token",
            false,
            false,
            overTime));
    lab.note(
        "Peak memory is what training took beyond what the process held before; operations are those of"
            + " matrix products, forward and backward; the state is what writing one sequence of the"
            + " model's length keeps.");
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
