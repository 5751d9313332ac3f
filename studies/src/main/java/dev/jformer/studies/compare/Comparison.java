package dev.jformer.studies.compare;

import dev.jformer.config.Checks;
import dev.jformer.run.Jobs;
import dev.jformer.run.PreparedData;
import dev.jformer.run.Progress;
import dev.jformer.run.Recipe;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Notebook;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Watcher;
import dev.jformer.studies.evidence.Evidence;
import dev.jformer.studies.evidence.Machine;
import dev.jformer.studies.report.Report;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Compares a recipe with variants of it, which change the model, the training or compress what was
 * trained, on data of any kind. Each variant is trained with the same budget, and the base's
 * objective and pretrained start hold for all.
 *
 * <pre>{@code
 * Recipe recipe = Recipe.named("shakespeare").withData(Path.of("input.txt"));
 * Choice choice =
 *     Comparison.of(recipe)
 *         .with("flow", "primer", "weight-int8")
 *         .budget(Duration.ofMinutes(5))
 *         .seeds(3)
 *         .run(Path.of("runs/choice"))
 *         .choice();
 * System.out.println(choice.result().name() + ": " + choice.reason());
 * }</pre>
 *
 * @param variants the base first
 * @param budget of each training
 * @param seeds trainings of each variant
 * @param priority what the choice optimizes
 * @param tolerance how much worse than the base a variant may be where the choice optimizes
 *     something other than quality, as a share of the base's primary metric
 */
@RecordBuilder
public record Comparison(
    List<Variant> variants, Budget budget, int seeds, Choice.Priority priority, double tolerance)
    implements ComparisonBuilder.With {
  private static final String NOTES = "notes";
  private static final String MODELS = "models";

  /** Checks the values. */
  public Comparison {
    variants = List.copyOf(variants);
    Checks.atLeast("seeds", seeds, 1);
    if (variants.isEmpty()) {
      throw new IllegalArgumentException("there is no recipe to compare");
    }
    if (!(tolerance >= 0)) {
      throw new IllegalArgumentException("tolerance is " + tolerance + ": expected at least 0");
    }
  }

  /** A comparison with a recipe: five minutes of training, one seed, and the best quality wins. */
  public static Comparison of(Recipe base) {
    return new Comparison(
        List.of(new Variant(Variant.BASE, base)),
        Budget.of(Duration.ofMinutes(5)),
        1,
        Choice.Priority.QUALITY,
        0.01);
  }

  /**
   * The same with more techniques; see {@link Variants} for their names.
   *
   * @throws IllegalArgumentException if there is no such technique, or it does not fit the recipe
   */
  public Comparison with(String... techniques) {
    return with(List.of(techniques));
  }

  /** As {@link #with(String...)}. */
  public Comparison with(List<String> techniques) {
    List<Variant> all = new ArrayList<>(variants);
    for (Variant variant : Variants.all(base(), techniques)) {
      if (all.stream().noneMatch(v -> v.name().equals(variant.name()))) {
        all.add(variant);
      }
    }
    return withVariants(all);
  }

  /** The same with training of this length. */
  public Comparison budget(Duration time) {
    return withBudget(Budget.of(time));
  }

  /** The same with another budget. */
  public Comparison budget(Budget other) {
    return withBudget(other);
  }

  /** The same with so many trainings of each variant. */
  public Comparison seeds(int count) {
    return withSeeds(count);
  }

  /** The same with something else that matters most. */
  public Comparison priority(Choice.Priority other) {
    return withPriority(other);
  }

  /** The same where a variant may be worse than the base by another share. */
  public Comparison tolerance(double share) {
    return withTolerance(share);
  }

  /** The recipe that variants change. */
  public Recipe base() {
    return variants.get(0).recipe();
  }

  /**
   * Measures, writes a report ({@code compare.html}, {@code compare.md}, {@code compare.json}) and
   * chooses. What was measured before in the folder is not measured again.
   */
  public ComparisonResult run(Path folder) throws IOException {
    return run(folder, Surroundings.console());
  }

  /**
   * What a comparison is run in.
   *
   * @param progress is told how data is made ready
   * @param watcher is told how measurements go
   * @param version of the program, which is kept with what it measures; empty if unknown
   * @param command what repeats the comparison, for the report; empty for nothing
   * @param fresh whether what earlier runs have measured is measured again
   */
  public record Surroundings(
      Progress progress, Watcher watcher, String version, String command, boolean fresh) {
    /** Lines of text on standard error. */
    public static Surroundings console() {
      return new Surroundings(Progress.console(), Watcher.console(), "", "", false);
    }
  }

  /** As {@link #run(Path)}. */
  public ComparisonResult run(Path folder, Surroundings surroundings) throws IOException {
    checkVariants();
    Files.createDirectories(folder);
    try (PreparedData data = Jobs.prepare(base(), folder, surroundings.progress())) {
      Notebook notebook =
          new Notebook(folder.resolve(NOTES), conditions(data), surroundings.version());
      if (surroundings.fresh()) {
        notebook.forget();
      }
      ExperimentContext lab =
          new ExperimentContext(Scale.LAPTOP, null, notebook, surroundings.watcher());
      List<Result> results = new ArrayList<>();
      Choice choice = run(lab, data, results);
      Evidence evidence = lab.evidence("compare", title(), surroundings.command());
      Report.write(evidence, folder);
      return new ComparisonResult(choice, List.copyOf(results), evidence);
    }
  }

  private void checkVariants() {
    if (variants.size() < 2) {
      throw new IllegalArgumentException("there is nothing to compare with: name techniques");
    }
  }

  private String conditions(PreparedData data) {
    return base() + "; data " + data.fingerprint() + "; " + Machine.here();
  }

  private String title() {
    return "Which of "
        + String.join(", ", variants.stream().skip(1).map(Variant::name).toList())
        + " pays off?";
  }

  /**
   * Measures in an experiment, and fills its report.
   *
   * @param data of the base's kind, ready to be learned from
   */
  public Choice run(ExperimentContext lab, PreparedData data) {
    checkVariants();
    return run(lab, data, new ArrayList<>());
  }

  private Choice run(ExperimentContext lab, PreparedData data, List<Result> results) {
    ComparisonRun run =
        new ComparisonRun(
            this,
            lab,
            new VariantTrainer(lab, data, budget, lab.files(MODELS)),
            new VariantCompressor(lab, data, budget));
    results.addAll(run.results());
    Choice choice = Choice.of(results, priority, tolerance);
    new ComparisonReport(this, lab, results).write(choice);
    return choice;
  }
}
