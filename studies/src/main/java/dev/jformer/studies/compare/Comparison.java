package dev.jformer.studies.compare;

import dev.jformer.config.Checks;
import dev.jformer.io.AtomicFile;
import dev.jformer.io.FileTree;
import dev.jformer.io.FolderLock;
import dev.jformer.run.Jobs;
import dev.jformer.run.OutputFolder;
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
import java.util.stream.Stream;

/**
 * Compares a recipe with variants of it, on data of any kind. Variants change the model or the
 * training, or compress the trained model. All are trained with the same budget, and with the
 * base's objective and pretrained start.
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
 * @param seeds number of trainings of each variant
 * @param priority what the choice optimizes
 * @param tolerance how much worse than the base a variant may be where the choice optimizes
 *     something other than quality, as a share of the base's primary metric
 */
@RecordBuilder
public record Comparison(
    List<Variant> variants, Budget budget, int seeds, Choice.Priority priority, double tolerance)
    implements ComparisonBuilder.With {
  /** Subfolder of data that is ready: its files must not mix with those of a model. */
  private static final String PREPARED = "prepared";

  private static final String NOTES = "notes";
  private static final String MODELS = "models";

  /** Checks the values. */
  public Comparison {
    variants = List.copyOf(variants);
    Checks.atLeast("seeds", seeds, 1);
    if (variants.isEmpty()) {
      throw new IllegalArgumentException(
          "the comparison has no variants: expected at least the base recipe");
    }
    if (!(tolerance >= 0)) {
      throw new IllegalArgumentException("tolerance is " + tolerance + ": expected at least 0");
    }
  }

  /**
   * Creates a comparison with a base recipe: five minutes of training, one seed, priority on
   * quality.
   */
  public static Comparison of(Recipe base) {
    return new Comparison(
        List.of(new Variant(Variant.BASE, base)),
        Budget.of(Duration.ofMinutes(5)),
        1,
        Choice.Priority.QUALITY,
        0.01);
  }

  /**
   * Returns this comparison with more techniques; see {@link Variants} for their names.
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

  /** Returns this comparison with a budget of training time. */
  public Comparison budget(Duration time) {
    return withBudget(Budget.of(time));
  }

  /** Returns this comparison with another budget. */
  public Comparison budget(Budget other) {
    return withBudget(other);
  }

  /** Returns this comparison with a number of trainings of each variant. */
  public Comparison seeds(int count) {
    return withSeeds(count);
  }

  /** Returns this comparison with another priority. */
  public Comparison priority(Choice.Priority other) {
    return withPriority(other);
  }

  /** Returns this comparison with another tolerance. */
  public Comparison tolerance(double share) {
    return withTolerance(share);
  }

  /** Returns the base recipe. */
  public Recipe base() {
    return variants.get(0).recipe();
  }

  /**
   * Runs the comparison, writes a report ({@code compare.html}, {@code compare.md}, {@code
   * compare.json}) and chooses a variant. Measurements already saved in the folder are used again.
   */
  public ComparisonResult run(Path folder) throws IOException {
    return run(folder, Surroundings.console());
  }

  /**
   * The environment of a comparison.
   *
   * @param progress receives the progress of preparing data
   * @param watcher receives the progress of measurements
   * @param version of the program, which is saved with measurements; empty if unknown
   * @param command that repeats the comparison, for the report; empty for none
   * @param fresh whether to discard saved measurements
   */
  public record Surroundings(
      Progress progress, Watcher watcher, String version, String command, boolean fresh) {
    /** Creates an environment that reports progress on standard error. */
    public static Surroundings console() {
      return new Surroundings(Progress.console(), Watcher.console(), "", "", false);
    }
  }

  /** As {@link #run(Path)}. */
  public ComparisonResult run(Path folder, Surroundings surroundings) throws IOException {
    checkVariants();
    FileTree.createFolder(folder);
    try (FolderLock lock = FolderLock.acquire(folder);
        PreparedData data = prepare(folder, surroundings)) {
      Notebook notebook =
          new Notebook(folder.resolve(NOTES), conditions(data), surroundings.version());
      if (surroundings.fresh()) {
        notebook.forget();
      }
      notebook.tidy();
      ExperimentContext context =
          new ExperimentContext(Scale.LAPTOP, null, notebook, surroundings.watcher());
      List<Result> results = new ArrayList<>();
      Load load = Load.now();
      load.warning().ifPresent(surroundings.progress()::remark);
      load.warning().ifPresent(context::note);
      Choice choice = run(context, data, results, surroundings.progress());
      Evidence evidence = context.evidence("compare", title(), surroundings.command());
      Report.write(evidence, folder);
      return new ComparisonResult(choice, List.copyOf(results), evidence);
    }
  }

  private PreparedData prepare(Path folder, Surroundings surroundings) throws IOException {
    AtomicFile.sweep(folder);
    Path prepared = folder.resolve(PREPARED);
    OutputFolder.recover(prepared);
    return Jobs.prepare(base(), prepared, surroundings.progress());
  }

  private void checkVariants() {
    if (variants.size() < 2) {
      throw new IllegalArgumentException(
          "there is nothing to compare with: name at least one technique, for example flow");
    }
  }

  private String conditions(PreparedData data) throws IOException {
    return base() + start() + "; data " + data.fingerprint() + "; " + Machine.here();
  }

  /**
   * The files that the base begins with, if any: another model at the same place is another one.
   */
  private String start() throws IOException {
    if (base().from().isEmpty()) {
      return "";
    }
    StringBuilder files = new StringBuilder();
    try (Stream<Path> found = Files.walk(Path.of(base().from()), 1)) {
      for (Path file : found.filter(Files::isRegularFile).sorted().toList()) {
        files.append(' ').append(file.getFileName()).append(' ').append(Files.size(file));
        files.append(' ').append(Files.getLastModifiedTime(file));
      }
    }
    return "; begins with" + files;
  }

  private String title() {
    return "Which of "
        + String.join(", ", variants.stream().skip(1).map(Variant::name).toList())
        + " pays off?";
  }

  /**
   * Runs the comparison in an experiment and adds the results to its report.
   *
   * @param data prepared data of the base recipe
   */
  public Choice run(ExperimentContext context, PreparedData data) {
    checkVariants();
    return run(context, data, new ArrayList<>(), Progress.none());
  }

  private Choice run(
      ExperimentContext context, PreparedData data, List<Result> results, Progress progress) {
    ComparisonRun run =
        new ComparisonRun(
            this,
            context,
            new VariantTrainer(context, data, budget, context.files(MODELS)),
            new VariantCompressor(context, data, budget),
            progress);
    results.addAll(run.results());
    Choice choice = Choice.of(results, priority, tolerance);
    new ComparisonReport(this, context, results).write(choice);
    return choice;
  }
}
