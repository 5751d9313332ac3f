package dev.jformer.app.command;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.model.CausalLm;
import dev.jformer.run.Recipe;
import dev.jformer.run.TextData;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code jformer compare}. */
@Command(
    name = "compare",
    mixinStandardHelpOptions = true,
    description = "Find out which techniques pay off for your data, on your machine.",
    footer = {
      "",
      "Examples:",
      "  jformer compare --with flow,primer,urpe --budget 5m",
      "  jformer compare --base shakespeare --with primer,sigma-reparam+primer \\",
      "      --data input.txt --budget 600steps --seeds 3 --priority quality",
      "  jformer compare --base my.json --with position=alibi,position=rope --budget 2e14flops",
      "",
      "A technique is a paper's name ('jformer papers'), a part's type, seam=type, or several",
      "joined by '+'. Each variant, the base too, gets the whole budget, once for each seed.",
      "What was measured is kept in the folder: an interrupted comparison goes on where it was."
    })
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
      description = "What to compare with it.")
  private List<String> techniques = new ArrayList<>();

  @Option(
      names = "--budget",
      description =
          "Training of each: 500steps, 90s, 10m, 1h, 2e15flops (default ${DEFAULT-VALUE}).")
  private String budget = "5m";

  @Option(names = "--seeds", description = "Trainings of each (default ${DEFAULT-VALUE}).")
  private int seeds = 1;

  @Option(
      names = "--priority",
      description = "What to choose by: ${COMPLETION-CANDIDATES} (default ${DEFAULT-VALUE}).")
  private Choice.Priority priority = Choice.Priority.QUALITY;

  @Option(
      names = "--tolerance",
      description =
          "How much worse than the base's the loss may be where something else is chosen by, as a"
              + " share (default ${DEFAULT-VALUE}).")
  private double tolerance = 0.01;

  @Option(names = "--data", paramLabel = "PATH", description = "Text to learn from.")
  private Path data;

  @Option(
      names = "--set",
      paramLabel = "FIELD=VALUE",
      description = "Set any field of the base recipe.")
  private Map<String, String> overrides = new LinkedHashMap<>();

  @Option(
      names = "--out",
      paramLabel = "FOLDER",
      description = "Where measurements and report go (default runs/compare-RECIPE).")
  private Path out;

  @Option(names = "--fresh", description = "Measure again what is known from earlier runs.")
  private boolean fresh;

  @Option(names = "--quiet", description = "Show no progress, only the result.")
  private boolean quiet;

  @Option(names = "--json", description = "Print the result as JSON.")
  private boolean json;

  @Override
  public Integer call() throws Exception {
    Budget each = Budget.parse(budget);
    Console console = new Console(quiet, json);
    Recipe recipe = Recipes.withData(base, Recipes.load(base, overrides), data, List.of());
    if (!(recipe.model() instanceof CausalLm.Config && recipe.data() instanceof TextData source)) {
      throw new CommandException(
          "only language models can be compared yet, and the recipe has a "
              + recipe.model().type()
              + " on "
              + recipe.data().type());
    }
    Path folder = out == null ? Path.of("runs", "compare-" + Recipes.name(base)) : out;
    variants(recipe); // wrong names are told before anything is made
    Files.createDirectories(folder);
    Texts texts = new Texts(source, folder, console);
    Tokenizer tokenizer = texts.tokenizer();
    try (TokenFile text = texts.tokens(tokenizer);
        StudyProgress progress = new StudyProgress(console)) {
      Recipe sized =
          new Recipe(
              ((CausalLm.Config) recipe.model()).withVocab(tokenizer.vocabularySize()),
              recipe.data(),
              recipe.training());
      Comparison comparison = new Comparison(variants(sized), each, seeds, priority, tolerance);
      Notebook notebook =
          new Notebook(folder.resolve("notes"), conditions(sized, text), Version.here());
      if (fresh) {
        notebook.forget();
      }
      ExperimentContext lab = new ExperimentContext(Scale.LAPTOP, text, notebook, progress);
      comparison.run(lab);
      Evidence evidence = lab.evidence("compare", title(), command());
      Report.write(evidence, folder);
      System.out.println(
          json
              ? new JsonMapper().writerWithDefaultPrettyPrinter().writeValueAsString(evidence)
              : Report.text(evidence));
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

  private static String conditions(Recipe recipe, TokenFile text) {
    return recipe + "; text " + text.header().fingerprint() + "; " + Machine.here();
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
    overrides.forEach(
        (field, value) -> command.append(" --set ").append(field).append('=').append(value));
    if (data != null) {
      command.append(" --data ").append(data.getFileName());
    }
    return command.toString();
  }
}
