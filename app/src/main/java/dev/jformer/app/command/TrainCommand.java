package dev.jformer.app.command;

import dev.jformer.config.Nearest;
import dev.jformer.run.Recipe;
import dev.jformer.run.Run;
import dev.jformer.run.RunResult;
import dev.jformer.run.TrainingOutcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code jformer train}. */
@Command(
    name = "train",
    header = "Train a model on your data, or resume a training run",
    description =
        """
        Trains a language model on text, a forecaster on the series of a CSV file, a classifier of
        images or of texts, an encoder as a masked language model, or a translator. A run can be
        stopped or killed and resumed.
        """,
    footer =
        """
        Examples:
          jformer train
              Learns from Java source code that comes with the build, in about three minutes.
          jformer train --recipe shakespeare --data input.txt --out runs/play
          jformer train --data src --ending .java --ending .kt \\
              --set data.tokenizer=bpe
          jformer train --recipe my.yaml --set model.mixer.heads=8 --steps 2000
          jformer train --task forecast --data sales.csv --horizon 28 --look-back 56
          jformer train --task images --data photos.zip
              The data is a folder or zip file with a folder of images for each class.
          jformer train --task mlm --data book.txt --out runs/encoder
          jformer train --task classify --from runs/encoder --data reviews.tsv
              Each line is a text, a tab and a label. '--from minilm' starts from a model of English.
          jformer train --task translate \\
              --source train.en.gz --target train.de.gz \\
              --validation-source val.en.gz --validation-target val.de.gz
              Line n of the target is the translation of line n of the source.
          jformer train --resume runs/play

        A recipe is a JSON or YAML file with the fields model, data and training; fields that it
        leaves out keep their defaults. 'jformer info --recipe NAME' prints a recipe with all its
        fields.
        """)
final class TrainCommand implements Callable<Integer> {
  /** By the job of a run, a command that uses its model. */
  private static final Map<String, String> USES =
      Map.of(
          "language-modelling", "jformer generate %s --prompt '...'",
          "masked-language-modelling", "jformer train --task classify --from %s --data texts.tsv",
          "text-classification", "jformer predict %s --text '...'",
          "image-classification", "jformer predict %s picture.jpg",
          "translation", "jformer translate %s '...'",
          "forecasting", "jformer forecast %s --data series.csv --out next.csv");

  private static final String TEXT = "text";
  private static final List<String> TASKS =
      List.of(TEXT, "forecast", "images", "mlm", "classify", "translate");

  @Option(
      names = "--recipe",
      paramLabel = "NAME|FILE",
      description =
          "java, shakespeare, forecast, images, poolformer, mlm, classify, fine-tune, translate, or"
              + " a JSON or YAML file (default: the recipe of the task).")
  private String named;

  @Option(
      names = "--task",
      paramLabel = "TASK",
      description =
          "text, forecast, images, mlm, classify or translate (default text); not used with"
              + " --recipe.")
  private String task = TEXT;

  @Option(
      names = "--horizon",
      paramLabel = "ROWS",
      description = "How many rows a forecaster predicts (model.horizon).")
  private Integer horizon;

  @Option(
      names = "--look-back",
      paramLabel = "ROWS",
      description = "How many rows a forecaster reads (model.lookBack).")
  private Integer lookBack;

  @Option(
      names = "--data",
      paramLabel = "PATH",
      description =
          "The training data: text (a file, folder, zip or jar), a CSV file, images (a folder or"
              + " zip), or a file of labelled texts.")
  private Path data;

  @Mixin private PairOptions pairs;

  @Option(
      names = "--validation-source",
      paramLabel = "FILE",
      description = "Texts to validate on (default: some of --source are held out).")
  private Path validationSource;

  @Option(names = "--validation-target", paramLabel = "FILE", description = "Their translations.")
  private Path validationTarget;

  @Option(
      names = "--from",
      paramLabel = "FOLDER",
      description =
          "Start with the configuration and weights of this model: a folder, or minilm, which"
              + " comes with the build.")
  private Path from;

  @Option(
      names = "--ending",
      paramLabel = ".EXT",
      description = "Only files of a folder or zip whose names end with this; may be repeated.")
  private String[] endings = {};

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "How many updates of the weights (training.steps).")
  private Integer steps;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "The seed of all random numbers (training.seed).")
  private Long seed;

  @Mixin private FieldOptions overrides;

  @Option(
      names = "--out",
      paramLabel = "FOLDER",
      description = "The folder of the run (default runs/ and the name of the recipe or task).")
  private Path out;

  @Option(
      names = "--resume",
      paramLabel = "FOLDER",
      description = "Continue this run from its newest checkpoint.")
  private Path resume;

  @Option(names = "--overwrite", description = "Replace the run that is in the folder.")
  private boolean overwrite;

  @Option(
      names = "--sample",
      paramLabel = "TEXT",
      description = "Print a continuation of this text after each evaluation.")
  private String sample;

  @Mixin private QuietOption progress;

  @Mixin private JsonOption json;

  @Override
  public Integer call() throws Exception {
    Console console = progress.console();
    if (resume != null) {
      if (data != null
          || out != null
          || !overrides.fields().isEmpty()
          || steps != null
          || seed != null
          || horizon != null
          || lookBack != null
          || from != null
          || !pairFields().isEmpty()) {
        throw new CommandException(
            "--resume continues a run with its own recipe: leave out --data, --out, --set,"
                + " --steps, --seed, --horizon, --look-back, --from, --source and --target");
      }
      return train(Run.reopen(resume).withPrompt(sample), resume, console);
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
    all.putAll(pairFields());
    all.putAll(overrides.fields());
    String recipe = named != null ? named : ofTask();
    Recipe chosen = Recipes.load(recipe, all);
    boolean ofUser = named == null && task.equals(TEXT) && data != null;
    Recipe complete =
        Recipes.withData(
            recipe, ofUser ? Recipes.ofAllFiles(chosen) : chosen, data, List.of(endings));
    boolean own = Recipes.bringsData(recipe, chosen, data);
    Path folder = out == null ? Path.of("runs", ofUser ? TEXT : Recipes.name(recipe)) : out;
    String prompt = sample == null && own ? DefaultCorpus.PROMPT : sample;
    return train(Run.begin(complete, folder, overwrite).withPrompt(prompt), folder, console);
  }

  /** Trains and reports; the exit code of the program. */
  private int train(Run run, Path folder, Console console) throws IOException {
    RunResult result = TrainingSession.train(run, folder, console);
    if (json.isSet()) {
      json.printer().print(TrainingReport.of(result));
    }
    TrainingOutcome training = result.training();
    if (result.isInterrupted()) {
      console.say(
          "stopped at step %d; continue with: jformer train --resume %s", training.steps(), folder);
      return Interruption.EXIT_CODE;
    }
    if (!result.test().isEmpty()) {
      console.say("%non test data:%n%s", TrainingReport.table(result.test()));
    }
    console.say(
        "%s at step %d; best validation %s, at step %d",
        training.ending() == TrainingOutcome.Ending.COMPLETED ? "done" : "stopped early",
        training.steps(),
        training.best() == null ? "loss unknown" : MetricsText.of(training.best()),
        training.bestStep());
    String use = USES.getOrDefault(result.job(), "jformer info %s").formatted(folder);
    console.say("the model is in %s; try: %s", folder, use);
    return 0;
  }

  /** The files of a translator, as fields of the recipe. */
  private Map<String, String> pairFields() {
    Map<String, String> fields = new LinkedHashMap<>();
    put(fields, "data.source", pairs.source());
    put(fields, "data.target", pairs.target());
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
      case TEXT -> "java";
      case "classify" -> isTrainedElsewhere() ? "fine-tune" : task;
      case "forecast", "images", "mlm", "translate" -> task;
      default ->
          throw new CommandException(
              "there is no task '"
                  + task
                  + "'"
                  + Nearest.hint(task, TASKS)
                  + ": expected "
                  + String.join(", ", TASKS));
    };
  }

  /** Whether the model to begin with is no run of ours: large, and soon spoiled by large steps. */
  private boolean isTrainedElsewhere() {
    return from != null && !Files.exists(Pretrained.find(from).resolve("recipe.json"));
  }
}
