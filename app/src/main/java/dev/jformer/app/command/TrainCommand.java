package dev.jformer.app.command;

import dev.jformer.config.Nearest;
import dev.jformer.run.Recipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code jformer train}. */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    description = {
      "Train a model, from scratch or from where a run was interrupted: a language model on text,",
      "a forecaster on the series of a CSV file, a classifier of images or of texts, an encoder",
      "that fills in masked words, or a translator."
    },
    footer = {
      "",
      "Examples:",
      "  jformer train",
      "      Learns from Java source code that comes with the build; about three minutes.",
      "  jformer train --recipe shakespeare --data input.txt --out runs/play",
      "  jformer train --data src --ending .java --ending .kt --set data.tokenizer=bpe",
      "  jformer train --recipe my.yaml --set model.mixer.heads=8 --set training.steps=2000",
      "  jformer train --task forecast --data sales.csv --horizon 28 --look-back 56",
      "  jformer train --task images --data photos.zip",
      "      A folder or zip file with a folder of images for each class.",
      "  jformer train --task mlm --data book.txt --out runs/encoder",
      "  jformer train --task classify --from runs/encoder --data reviews.tsv",
      "      Lines of a text, a tab and a label. With --from minilm it begins with a model that knows",
      "      English.",
      "  jformer train --task translate --source train.en.gz --target train.de.gz \\",
      "      --validation-source val.en.gz --validation-target val.de.gz",
      "      Line n of the one file means what line n of the other does.",
      "  jformer train --resume runs/play",
      "",
      "A recipe is a JSON or YAML file with the fields model, data and training; what it leaves",
      "out keeps its default. 'jformer info --recipe NAME' prints one, every field spelled out."
    })
final class TrainCommand implements Callable<Integer> {
  private static final List<String> TASKS =
      List.of("text", "forecast", "images", "mlm", "classify", "translate");

  @Option(
      names = "--recipe",
      paramLabel = "NAME|FILE",
      description =
          "java, shakespeare, forecast, images, poolformer, mlm, classify, fine-tune, translate, or"
              + " a file (default: the task's).")
  private String named;

  @Option(
      names = "--task",
      paramLabel = "TASK",
      description =
          "text, forecast, images, mlm, classify or translate (default text), where no recipe says"
              + " it.")
  private String task = "text";

  @Option(
      names = "--horizon",
      paramLabel = "ROWS",
      description = "Rows to forecast (a forecaster's model.horizon).")
  private Integer horizon;

  @Option(
      names = "--look-back",
      paramLabel = "ROWS",
      description = "Rows to forecast from (a forecaster's model.lookBack).")
  private Integer lookBack;

  @Option(
      names = "--data",
      paramLabel = "PATH",
      description =
          "What to learn from: text (a file, folder, zip or jar), a CSV file, images (a folder or"
              + " zip), or labelled texts.")
  private Path data;

  @Option(
      names = "--source",
      paramLabel = "FILE",
      description = "Texts to learn to translate, one a line, plain or compressed by gzip.")
  private Path source;

  @Option(names = "--target", paramLabel = "FILE", description = "Their translations.")
  private Path target;

  @Option(
      names = "--validation-source",
      paramLabel = "FILE",
      description = "Texts to validate on (default: some of the others are held out).")
  private Path validationSource;

  @Option(names = "--validation-target", paramLabel = "FILE", description = "Their translations.")
  private Path validationTarget;

  @Option(
      names = "--from",
      paramLabel = "FOLDER",
      description =
          "Begin with the shape and weights of this model: a folder, or minilm, which comes with the"
              + " build.")
  private Path from;

  @Option(
      names = "--ending",
      paramLabel = ".EXT",
      description = "Only files of a folder or zip whose names end so; may be repeated.")
  private String[] endings = {};

  @Option(names = "--steps", paramLabel = "N", description = "Updates of the weights.")
  private Integer steps;

  @Option(names = "--seed", paramLabel = "N", description = "Of everything random.")
  private Long seed;

  @Option(
      names = "--set",
      paramLabel = "FIELD=VALUE",
      description = "Set any field of the recipe, for example training.batch=32.")
  private Map<String, String> overrides = new LinkedHashMap<>();

  @Option(
      names = "--out",
      paramLabel = "FOLDER",
      description = "Where the run goes (default runs/ and the recipe's name).")
  private Path out;

  @Option(
      names = "--resume",
      paramLabel = "FOLDER",
      description = "Go on with this run from its newest checkpoint.")
  private Path resume;

  @Option(names = "--overwrite", description = "Begin anew in a folder that holds a run already.")
  private boolean overwrite;

  @Option(
      names = "--sample",
      paramLabel = "TEXT",
      description = "Show how the model goes on from this text after each evaluation.")
  private String sample;

  @Option(names = "--quiet", description = "Show no progress, only the result.")
  private boolean quiet;

  @Option(names = "--json", description = "Print the result as JSON.")
  private boolean json;

  @Override
  public Integer call() throws Exception {
    Console console = new Console(quiet, json);
    if (resume != null) {
      if (data != null
          || out != null
          || !overrides.isEmpty()
          || steps != null
          || seed != null
          || horizon != null
          || lookBack != null
          || from != null
          || !pairs().isEmpty()) {
        throw new CommandException(
            "--resume goes on with a run as it was begun: it takes no --data, --out, --set,"
                + " --steps, --seed, --horizon, --look-back, --from, --source or --target");
      }
      return Run.resume(resume, sample, console).train();
    }
    Map<String, String> all = new LinkedHashMap<>();
    if (steps != null) {
      all.put("training.steps", steps.toString());
    }
    if (seed != null) {
      all.put("training.seed", seed.toString());
    }
    if (horizon != null) {
      all.put("model.horizon", horizon.toString());
    }
    if (lookBack != null) {
      all.put("model.lookBack", lookBack.toString());
    }
    if (from != null) {
      all.put("from", Pretrained.find(from).toAbsolutePath().toString());
    }
    all.putAll(pairs());
    all.putAll(overrides);
    String recipe = named != null ? named : ofTask();
    Recipe chosen = Recipes.load(recipe, all);
    Recipe complete = Recipes.withData(recipe, chosen, data, List.of(endings));
    boolean own = Recipes.bringsData(recipe, chosen, data);
    Path folder = out == null ? Path.of("runs", Recipes.name(recipe)) : out;
    String prompt = sample == null && own ? DefaultCorpus.PROMPT : sample;
    return Run.begin(folder, complete, overwrite, prompt, console).train();
  }

  /** The files of a translator, as fields of the recipe. */
  private Map<String, String> pairs() {
    Map<String, String> fields = new LinkedHashMap<>();
    put(fields, "data.source", source);
    put(fields, "data.target", target);
    put(fields, "data.validationSource", validationSource);
    put(fields, "data.validationTarget", validationTarget);
    return fields;
  }

  private static void put(Map<String, String> fields, String name, Path file) {
    if (file != null) {
      fields.put(name, file.toAbsolutePath().toString());
    }
  }

  private String ofTask() {
    return switch (task) {
      case "text" -> "java";
      case "classify" -> isTrainedElsewhere() ? "fine-tune" : task;
      case "forecast", "images", "mlm", "translate" -> task;
      default ->
          throw new CommandException(
              "no task '"
                  + task
                  + "'"
                  + Nearest.hint(task, TASKS)
                  + ": there are "
                  + String.join(", ", TASKS));
    };
  }

  /** Whether the model to begin with is no run of ours: large, and soon spoiled by large steps. */
  private boolean isTrainedElsewhere() {
    return from != null && !Files.exists(Pretrained.find(from).resolve("recipe.json"));
  }
}
