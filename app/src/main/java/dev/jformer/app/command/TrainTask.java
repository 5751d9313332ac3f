package dev.jformer.app.command;

import dev.jformer.config.Nearest;
import dev.jformer.run.Jobs;
import dev.jformer.run.Recipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The values of {@code jformer train --task}: kinds of data, each with the recipe that suits it.
 */
enum TrainTask {
  TEXT("java", "fine-tune-text", "language-modelling"),
  FORECAST("forecast", "forecast", "forecasting"),
  IMAGES("images", "images", "image-classification"),
  MLM("mlm", "fine-tune-mlm", "masked-language-modelling"),
  CLASSIFY("classify", "fine-tune", "text-classification"),
  TOKENS("tokens", "fine-tune-tokens", "token-classification"),
  SEQUENCES("sequences", "sequences", "sequence-classification"),
  PIXELS("pixels", "pixels", "pixel-classification"),
  AUDIO("audio", "audio", "audio-classification"),
  EMBED("fine-tune-embed", "fine-tune-embed", "sentence-embedding"),
  INSTRUCT("instruct", "instruct", "instruction-tuning"),
  TRANSLATE("translate", "translate", "translation"),
  ALGORITHM("algorithm", "algorithm", "algorithm"),
  PROGRAM("program", "program", "program"),
  DIFFUSION("diffusion", "diffusion", "diffusion"),
  INPAINTING("inpainting", "inpainting", "inpainting"),
  IN_CONTEXT("in-context", "in-context", "in-context"),
  DECISIONS("decisions", "decisions", "decisions"),
  EXEMPLARS("exemplars", "exemplars", "exemplars");

  /** What learns a program of a file of words, and its job; else its sequences are made. */
  private static final String PROGRAM_OF_WORDS = "program-words";

  private static final String WORD_PROGRAM = "word-program";

  private static final String RATE = "training.learningRate";

  /** The learning rate of adapters, as LoRA's and EVA's authors use it for language models. */
  private static final String ADAPTER_RATE = "5e-4";

  /** How much lower the learning rate is for weights that are trained already. */
  private static final double GENTLER = 0.1;

  private final String recipe;
  private final String fineTuning;
  private final String job;

  TrainTask(String recipe, String fineTuning, String job) {
    this.recipe = recipe;
    this.fineTuning = fineTuning;
    this.job = job;
  }

  /** How users spell the tasks. */
  static List<String> names() {
    return Arrays.stream(values()).map(TrainTask::toString).toList();
  }

  /**
   * Finds a task by its name.
   *
   * @throws CommandException if there is none
   */
  static TrainTask named(String name) {
    return Arrays.stream(values())
        .filter(task -> task.toString().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new CommandException(
                    "there is no task '"
                        + name
                        + "'"
                        + Nearest.hint(name, names())
                        + ": expected "
                        + names().stream().collect(Collectors.joining(", "))));
  }

  /**
   * The recipe of the task.
   *
   * @param from the model to begin with; null for random weights
   * @param data a file or folder of the user; null for none
   */
  String recipe(Path from, Path data) {
    return this == PROGRAM && data != null ? PROGRAM_OF_WORDS : recipe(from);
  }

  /** The recipe of the task if its data is of the usual kind; see above. */
  String recipe(Path from) {
    if (from == null) {
      return recipe;
    }
    // A new classifier on a small encoder of ours learns from random weights, for the most part.
    boolean ours = Files.exists(Pretrained.find(from).resolve("recipe.json"));
    boolean classifier = this == CLASSIFY || this == TOKENS;
    return classifier && ours ? recipe : fineTuning;
  }

  /**
   * The fields in which the training of a model that is trained already differs from its recipe: a
   * tenth of the learning rate where there is no recipe for fine-tuning.
   *
   * @param adapter whether only an adapter is trained, which takes a higher rate than all weights
   */
  Map<String, String> gentler(Path from, boolean adapter) {
    if (adapter) {
      return Map.of(RATE, ADAPTER_RATE);
    }
    if (from == null || this == INSTRUCT || this == EMBED || !recipe.equals(fineTuning)) {
      return Map.of();
    }
    double rate = GENTLER * Recipe.named(recipe).training().learningRate();
    return Map.of(RATE, String.format(Locale.ROOT, "%.3g", rate));
  }

  /** Checks that a recipe that was named is one of this task. */
  void check(String named, Recipe chosen) {
    String other = Jobs.of(chosen).type();
    boolean words = this == PROGRAM && other.equals(WORD_PROGRAM);
    if (!other.equals(job) && !words) {
      throw new CommandException(
          "--task "
              + this
              + " and --recipe "
              + named
              + " contradict each other: the recipe is one for "
              + other.replace('-', ' ')
              + "; leave one of them out");
    }
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
