package dev.jformer.app.command;

import dev.jformer.run.Jobs;
import dev.jformer.run.PreparedData;
import dev.jformer.run.Recipe;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Notebook;
import dev.jformer.studies.Scale;
import dev.jformer.studies.compare.Budget;
import dev.jformer.studies.compare.Choice;
import dev.jformer.studies.compare.Comparison;
import dev.jformer.studies.compare.Variant;
import dev.jformer.studies.compare.Variants;
import dev.jformer.studies.evidence.Evidence;
import dev.jformer.studies.evidence.Machine;
import dev.jformer.studies.report.Report;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code jformer compare}. */
@Command(
    name = "compare",
    header = "Measure which techniques pay off on your data",
    description =
        """
        Trains the base recipe and each variant with the same budget, and reports quality, speed,
        memory and size, with a recommendation.
        """,
    footer =
        """
        Examples:
          jformer compare --with flow,primer,urpe --budget 5m
          jformer compare --base shakespeare --with primer,sigma-reparam+primer \\
              --data input.txt --budget 600steps --seeds 3 --priority quality
          jformer compare --base my.json --with position=alibi,position=rope \\
              --budget 2e14flops

        A technique is the name of a paper ('jformer papers'), the type of a part ('jformer info'),
        STAGE=TYPE, or several of these joined by '+'. Each variant, and the base, gets the whole
        budget once for each seed. Measurements are kept in the output folder: the same command
        continues an interrupted comparison.
        """)
final class CompareCommand implements Callable<Integer> {
  @Option(
      names = "--base",
      paramLabel = "NAME|FILE",
      description = "The recipe to change (default ${DEFAULT-VALUE}).")
  private String base = "java";

  @Option(
      names = "--with",
      split = ",",
      required = true,
      paramLabel = "TECHNIQUE",
      description = "Techniques to compare with the base, separated by commas.")
  private List<String> techniques = new ArrayList<>();

  @Option(
      names = "--budget",
      paramLabel = "BUDGET",
      description =
          "The training of each variant, such as 500steps, 90s, 10m, 1h or 2e15flops (default"
              + " ${DEFAULT-VALUE}).")
  private String budget = "5m";

  @Option(
      names = "--seeds",
      paramLabel = "N",
      description = "How often each variant is trained (default ${DEFAULT-VALUE}).")
  private int seeds = 1;

  @Option(
      names = "--priority",
      paramLabel = "GOAL",
      description =
          "What the recommendation optimizes: quality, training, writing, memory or size (default"
              + " quality).")
  private Choice.Priority priority = Choice.Priority.QUALITY;

  @Option(
      names = "--tolerance",
      paramLabel = "SHARE",
      description =
          "How much worse than the base the loss may be when --priority is not quality, as a share"
              + " (default ${DEFAULT-VALUE}).")
  private double tolerance = 0.01;

  @Option(
      names = "--data",
      paramLabel = "PATH",
      description = "The training data (default: that of the recipe).")
  private Path data;

  @Mixin private FieldOptions overrides;

  @Option(
      names = "--out",
      paramLabel = "FOLDER",
      description = "The folder of measurements and report (default runs/compare-RECIPE).")
  private Path out;

  @Option(
      names = "--fresh",
      description = "Measure everything again, also what earlier runs have measured.")
  private boolean fresh;

  @Mixin private QuietOption progress;

  @Mixin private JsonOption json;

  @Override
  public Integer call() throws Exception {
    Budget each = Budget.parse(budget);
    Console console = progress.console();
    Recipe recipe =
        Jobs.resolved(
            Recipes.withData(base, Recipes.load(base, overrides.fields()), data, List.of()));
    Path folder = out == null ? Path.of("runs", "compare-" + Recipes.name(base)) : out;
    variants(recipe); // wrong names are told before anything is made
    Files.createDirectories(folder);
    try (PreparedData prepared = Jobs.prepare(recipe, folder, console);
        StudyProgress shown = new StudyProgress(console)) {
      Comparison comparison = new Comparison(variants(recipe), each, seeds, priority, tolerance);
      Notebook notebook =
          new Notebook(folder.resolve("notes"), conditions(recipe, prepared), Version.here());
      if (fresh) {
        notebook.forget();
      }
      ExperimentContext lab = new ExperimentContext(Scale.LAPTOP, null, notebook, shown);
      comparison.run(lab, prepared);
      Evidence evidence = lab.evidence("compare", title(), command());
      Report.write(evidence, folder);
      json.printer().print(evidence, Report::text);
      console.say("report: %s", folder.resolve("compare.html"));
    }
    return 0;
  }

  private List<Variant> variants(Recipe recipe) {
    List<Variant> variants = new ArrayList<>(List.of(new Variant(Variant.BASE, recipe)));
    for (String technique : techniques) {
      for (Variant variant : Variants.of(recipe, technique)) {
        if (variants.stream().noneMatch(v -> v.name().equals(variant.name()))) {
          variants.add(variant);
        }
      }
    }
    return variants;
  }

  private static String conditions(Recipe recipe, PreparedData data) {
    return recipe + "; data " + data.fingerprint() + "; " + Machine.here();
  }

  private String title() {
    return "Which of "
        + String.join(", ", techniques)
        + " pays off for "
        + Recipes.name(base)
        + "?";
  }

  private String command() {
    StringBuilder command = new StringBuilder("jformer compare --base ").append(Recipes.name(base));
    command.append(" --with ").append(String.join(",", techniques));
    command.append(" --budget ").append(budget).append(" --seeds ").append(seeds);
    command.append(" --priority ").append(priority.name().toLowerCase(Locale.ROOT));
    overrides
        .fields()
        .forEach(
            (field, value) -> command.append(" --set ").append(field).append('=').append(value));
    if (data != null) {
      command.append(" --data ").append(data.getFileName());
    }
    return command.toString();
  }
}
