package dev.jformer.app.command;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.Configs;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.io.AtomicFile;
import dev.jformer.io.FileTree;
import dev.jformer.io.Weights;
import dev.jformer.metrics.Metric;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Encoder;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.model.Model;
import dev.jformer.model.forecast.Forecaster;
import dev.jformer.model.vision.ImageClassifier;
import dev.jformer.run.ImageData;
import dev.jformer.run.LabelledTextData;
import dev.jformer.run.Recipe;
import dev.jformer.run.SeriesData;
import dev.jformer.run.TextData;
import dev.jformer.run.TranslationData;
import dev.jformer.tensor.Scope;
import dev.jformer.train.Listener;
import dev.jformer.train.MetricsFile;
import dev.jformer.train.Trainer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * A training run and its folder: {@code recipe.json}, the model in its own layout ({@code
 * config.json}, {@code model.safetensors}, {@code tokenizer.json}), {@code metrics.jsonl}, {@code
 * data/} with the tokens and {@code checkpoints/}.
 */
final class Run {
  private static final String RECIPE = "recipe.json";
  private static final String METRICS = "metrics.jsonl";
  private static final String CHECKPOINTS = "checkpoints";

  private final Path folder;
  private final Recipe recipe;
  private final boolean resumed;
  private final String prompt;
  private final Console console;

  private Run(Path folder, Recipe recipe, boolean resumed, String prompt, Console console) {
    this.folder = folder;
    this.recipe = recipe;
    this.resumed = resumed;
    this.prompt = prompt;
    this.console = console;
  }

  /** A new run. */
  static Run begin(Path folder, Recipe recipe, boolean overwrite, String prompt, Console console)
      throws IOException {
    if (!fits(recipe)) {
      throw new CommandException(
          "a " + recipe.model().type() + " model cannot be trained on " + recipe.data().type());
    }
    if (!recipe.from().isEmpty() && recipe.data() instanceof SeriesData) {
      throw new CommandException(
          "--from is for models of text and images: a forecaster begins from nothing");
    }
    if (Files.exists(folder.resolve(RECIPE)) && hasSteps(folder) && !overwrite) {
      throw new CommandException(
          folder
              + " holds a run already: go on with --resume "
              + folder
              + ", begin anew with --overwrite, or choose another folder with --out");
    }
    Files.createDirectories(folder);
    Files.deleteIfExists(folder.resolve(METRICS));
    Weights.delete(folder);
    Files.deleteIfExists(folder.resolve(Tokenizer.FILE));
    FileTree.delete(folder.resolve(CHECKPOINTS));
    AtomicFile.write(
        folder.resolve(RECIPE), Configs.toJson(recipe).getBytes(StandardCharsets.UTF_8));
    return new Run(folder, recipe, false, prompt, console);
  }

  private static boolean fits(Recipe recipe) {
    Model.Config model = recipe.model();
    if (recipe.data() instanceof TextData) {
      return model instanceof CausalLm.Config || model instanceof Encoder.Config;
    }
    if (recipe.data() instanceof LabelledTextData) {
      return model instanceof Encoder.Config;
    }
    if (recipe.data() instanceof TranslationData) {
      return model instanceof EncoderDecoder.Config;
    }
    return recipe.data() instanceof ImageData
        ? model instanceof ImageClassifier.Config
        : model instanceof Forecaster.Config;
  }

  /** Whether there is work to lose, not only a recipe with which nothing could be begun. */
  private static boolean hasSteps(Path folder) throws IOException {
    Path metrics = folder.resolve(METRICS);
    return Files.exists(metrics) && Files.size(metrics) > 0;
  }

  /** A run that was begun before. */
  static Run resume(Path folder, String prompt, Console console) {
    Path file = folder.resolve(RECIPE);
    if (!Files.exists(file)) {
      throw new CommandException(folder + " holds no run: expected a " + RECIPE + " there");
    }
    return new Run(folder, Configs.read(file, Recipe.class), true, prompt, console);
  }

  /** Trains; the exit code of the program. */
  int train() throws Exception {
    Path checkpoints = folder.resolve(CHECKPOINTS);
    try (Scope scope = Scope.open();
        TrainingJob assignment = assignment();
        Interruption interruption = new Interruption();
        Trainer trainer =
            new Trainer(
                assignment.model(),
                recipe.objective().of(assignment.task()),
                recipe.training(),
                checkpoints)) {
      // A run killed before its first checkpoint begins again: that is what resuming it means.
      if (resumed && Trainer.canResume(checkpoints)) {
        trainer.resume();
        console.say("resuming %s at step %d", folder, trainer.step());
      }
      // The loop writes a checkpoint before it ends.
      interruption.then(trainer::stop);
      return train(assignment, trainer);
    }
  }

  /** The data made ready, and the model as the run begins with it. */
  TrainingJob assignment() throws IOException {
    if (recipe.data() instanceof SeriesData) {
      return new ForecastAssignment(recipe, folder, resumed, console);
    }
    if (recipe.data() instanceof ImageData) {
      return new ImageAssignment(recipe, folder, resumed, console);
    }
    if (recipe.data() instanceof TranslationData) {
      return new TranslationAssignment(recipe, folder, resumed, console);
    }
    if (recipe.data() instanceof LabelledTextData) {
      return new TextClassAssignment(recipe, folder, resumed, console);
    }
    if (recipe.model() instanceof Encoder.Config) {
      return new MaskedAssignment(recipe, folder, resumed, console);
    }
    return new LanguageAssignment(recipe, folder, resumed, prompt, console);
  }

  private int train(TrainingJob assignment, Trainer trainer) throws IOException {
    console.say("%s", assignment.description());
    Trainer.Result result;
    try (MetricsFile metrics = new MetricsFile(folder.resolve(METRICS), trainer.step());
        Console.Bar bar = console.bar("training", recipe.training().steps(), "steps")) {
      trainer.addListener(metrics);
      trainer.addListener(
          new Listener() {
            @Override
            public void step(Step step) {
              bar.at(step.step(), Console.describe(step, assignment.task().unit()));
            }

            @Override
            public void evaluation(Evaluation evaluation) {
              bar.say(
                  "step %d: validation loss %s%s",
                  evaluation.step(),
                  assignment.describe(evaluation.metrics()),
                  evaluation.isBest() ? "" : " (best " + round(evaluation.best()) + ")");
              if (evaluation.isBest()) {
                save(assignment);
              }
              String sample = assignment.sample();
              if (sample != null) {
                bar.say("%s%n", sample);
              }
            }
          });
      result = trainer.run();
    }
    return report(assignment, result);
  }

  private void save(TrainingJob assignment) {
    try {
      assignment.save();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot save the model in " + folder, e);
    }
  }

  private int report(TrainingJob assignment, Trainer.Result result) throws IOException {
    boolean interrupted = result.ending() == Trainer.Result.Ending.INTERRUPTED;
    String use = interrupted ? "" : assignment.finish();
    if (console.json()) {
      System.out.println(json(result));
    }
    if (interrupted) {
      console.say(
          "stopped at step %d; go on with: jformer train --resume %s", result.steps(), folder);
      return 130;
    }
    console.say(
        "%s at step %d; best validation loss %s, at step %d",
        result.ending() == Trainer.Result.Ending.COMPLETED ? "done" : "stopped early",
        result.steps(),
        result.best() == null ? "unknown" : assignment.describe(result.best()),
        result.bestStep());
    console.say("the model is in %s; try: %s", folder, use);
    return 0;
  }

  private ObjectNode json(Trainer.Result result) {
    ObjectNode node = new JsonMapper().createObjectNode();
    node.put("ending", result.ending().name().toLowerCase(Locale.ROOT));
    node.put("steps", result.steps()).put("bestStep", result.bestStep());
    if (result.last() != null) {
      node.put("validationLoss", result.last().loss());
    }
    if (result.best() != null) {
      node.put("bestValidationLoss", result.best().loss());
      for (Metric metric : result.best().all()) {
        String name = metric.name();
        node.put(
            "bestValidation" + name.substring(0, 1).toUpperCase(Locale.ROOT) + name.substring(1),
            metric.value());
      }
    }
    return node.put("run", folder.toString());
  }

  /**
   * The best loss on held-out data that a run in a folder came to; NaN if it was never evaluated.
   */
  static double bestLoss(Path folder) throws IOException {
    double best = Double.NaN;
    for (String line : Files.readAllLines(folder.resolve(METRICS))) {
      best = new JsonMapper().readTree(line).path("bestValidationLoss").asDouble(best);
    }
    return best;
  }

  private static String round(double value) {
    return String.format(Locale.ROOT, "%.4f", value);
  }
}
