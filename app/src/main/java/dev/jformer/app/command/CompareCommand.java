package dev.jformer.app.command;

import dev.jformer.run.Jobs;
import dev.jformer.run.Recipe;
import dev.jformer.studies.compare.Budget;
import dev.jformer.studies.compare.Choice;
import dev.jformer.studies.compare.Comparison;
import dev.jformer.studies.compare.ComparisonResult;
import dev.jformer.studies.report.Report;
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
          jformer compare --base images --data photos.zip \\
              --with pooling,weight-int8,flow+magnitude --priority size

        A technique is the name of a paper ('jformer papers'), the type of a part ('jformer info'),
        FIELD=TYPE, a method of 'jformer compress', or several of these joined by '+'. The base may
        be a recipe for any kind of data. Each variant, and the base, gets the whole budget once for
        each seed; a compressed variant shares the training of the model that it compresses. Measurements are kept in the output folder: the same command
        continues an interrupted comparison.
        """)
final class CompareCommand implements Callable<Integer> {
  @Option(
      names = "--base",
      paramLabel = "NAME|FILE",
      completionCandidates = Completion.Recipes.class,
      description = "The recipe to change (default ${DEFAULT-VALUE}).")
  private String base = "java";

  @Option(
      names = "--with",
      split = ",",
      required = true,
      paramLabel = "TECHNIQUE",
      description =
          "Techniques to compare with the base, separated by commas: of design, of training, or of"
              + " compression.")
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
          "What the recommendation optimizes: quality, training, reading, writing, memory or size (default"
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
    try (StudyProgress shown = new StudyProgress(console)) {
      ComparisonResult result =
          Comparison.of(recipe)
              .with(techniques)
              .budget(each)
              .seeds(seeds)
              .priority(priority)
              .tolerance(tolerance)
              .run(
                  folder,
                  new Comparison.Surroundings(console, shown, Version.here(), command(), fresh));
      json.printer().print(result.evidence(), Report::text);
      console.say("report: %s", folder.resolve("compare.html"));
    }
    return 0;
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
