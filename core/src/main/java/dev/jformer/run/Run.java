package dev.jformer.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.adapt.Adapters;
import dev.jformer.config.Configs;
import dev.jformer.hub.BaseModel;
import dev.jformer.hub.PeftFolder;
import dev.jformer.hub.SideFiles;
import dev.jformer.io.AtomicFile;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Model;
import dev.jformer.train.DivergenceException;
import dev.jformer.train.MetricsFile;
import dev.jformer.train.Task;
import dev.jformer.train.Trainer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/**
 * A training run and its folder: {@code recipe.json}, the best model in its own layout ({@code
 * config.json}, {@code model.safetensors}, {@code tokenizer.json}), {@code metrics.jsonl}, {@code
 * data/} with the prepared data, and {@code checkpoints/}.
 *
 * <pre>{@code
 * Recipe recipe = Recipe.named("shakespeare").withData(Path.of("input.txt")).withSteps(300);
 * Metrics metrics = Run.train(recipe, Path.of("runs/play"), Progress.console());
 * }</pre>
 */
public final class Run {
  private final Path folder;
  private final boolean resumed;
  private final boolean overwrite;
  private Recipe recipe;
  private boolean isLonger;
  private String prompt;
  private Training training;
  private boolean stopping;

  private Run(Path folder, Recipe recipe, boolean resumed, boolean overwrite) {
    this.folder = folder;
    this.recipe = recipe;
    this.resumed = resumed;
    this.overwrite = overwrite;
  }

  /**
   * Trains a recipe in a folder, which must not hold a run or a model yet.
   *
   * @return the metrics of the best model
   * @throws RunException if the recipe cannot be trained, or the folder holds a run or a model
   * @throws DivergenceException if the loss is not finite
   */
  public static Metrics train(Recipe recipe, Path folder, Progress progress) throws IOException {
    return begin(recipe, folder, false).train(progress).training().best();
  }

  /**
   * Resumes a run that was stopped or killed. The losses that follow are, bit for bit, those of a
   * run that was never interrupted.
   *
   * @return the metrics of the best model
   */
  public static Metrics resume(Path folder, Progress progress) throws IOException {
    return reopen(folder).train(progress).training().best();
  }

  /** Measures a trained model on a user's data. */
  public static EvaluationResult evaluate(Path folder, Path data) throws IOException {
    return evaluate(folder, EvaluationRequest.of(data));
  }

  /** Measures a trained model by a request. */
  public static EvaluationResult evaluate(Path folder, EvaluationRequest request)
      throws IOException {
    try (TrainedModel model = TrainedModel.load(folder)) {
      return model.evaluate(request, Progress.none());
    }
  }

  /**
   * Makes a new run for a folder. Nothing is written before {@link #train}, which replaces what the
   * folder holds only if it may; that is kept aside until the run has saved a model.
   *
   * @param overwrite whether a run, a model or a tokenizer in the folder may be replaced
   * @throws RunException if the recipe cannot be trained, or the folder holds one that may not be
   *     replaced, or that the recipe needs
   */
  public static Run begin(Recipe recipe, Path folder, boolean overwrite) throws IOException {
    Jobs.of(recipe);
    for (Path input : recipe.inputs()) {
      if (!Files.exists(input)) {
        throw new RunException("no such file or folder: " + input);
      }
    }
    OutputFolder.check(folder, overwrite, recipe.inputs());
    return new Run(folder, recipe, false, overwrite);
  }

  /**
   * Opens a run that was started before.
   *
   * @throws RunException if there is none in the folder
   * @throws IOException if another process writes to it
   */
  public static Run reopen(Path folder) throws IOException {
    Path file = folder.resolve(RunFolder.RECIPE);
    OutputFolder.recover(folder);
    if (!Files.exists(file)) {
      throw new RunException(folder + " holds no run: expected a " + RunFolder.RECIPE + " there");
    }
    return new Run(folder, Configs.read(file, Recipe.class), true, false);
  }

  /**
   * Opens a run that was started before, to train it longer. The schedule of the learning rate is
   * then that of a run of so many steps; what is done already stays as it is.
   *
   * @param steps number of updates in all, more than the run's recipe says
   * @throws RunException if there is none in the folder, or it has as many steps already
   */
  public static Run reopen(Path folder, int steps) throws IOException {
    Run run = reopen(folder);
    int before = run.recipe.training().steps();
    if (steps <= before) {
      throw new RunException(
          folder + " is a run of " + before + " steps, but " + steps + " are given: expected more");
    }
    run.recipe = run.recipe.withTraining(run.recipe.training().withSteps(steps));
    run.isLonger = true;
    return run;
  }

  private void storeRecipe(Path place) throws IOException {
    AtomicFile.write(
        place.resolve(RunFolder.RECIPE), Configs.toJson(recipe).getBytes(StandardCharsets.UTF_8));
  }

  /** Sets a text that the model continues after each evaluation; null for none. */
  public Run withPrompt(String text) {
    prompt = text;
    return this;
  }

  /** The recipe of the run. */
  public Recipe recipe() {
    return recipe;
  }

  /** Makes {@link #train}, from any thread, write a checkpoint after this update and return. */
  public synchronized void stop() {
    stopping = true;
    if (training != null) {
      training.stop();
    }
  }

  private synchronized void started(Training now) {
    training = now;
    if (stopping) {
      now.stop();
    }
  }

  private PreparedData prepare(Progress progress) throws IOException {
    return Jobs.prepare(
        recipe, resumed ? Workspace.resumed(folder, progress) : Workspace.in(folder, progress));
  }

  /** Builds the initial model of a reopened run; the caller closes it. */
  public Model initialModel() throws IOException {
    try (OutputFolder out = OutputFolder.reopen(folder);
        PreparedData data = prepare(Progress.none())) {
      return Training.of(recipe, data).build();
    }
  }

  /**
   * Trains until the end, or until {@link #stop} is called.
   *
   * @throws DivergenceException if the loss is not finite; checkpoints are intact
   * @throws IOException if another process writes to the folder
   */
  public RunResult train(Progress progress) throws IOException {
    if (resumed) {
      try (OutputFolder out = OutputFolder.reopen(folder)) {
        return train(new Keeper(out, progress));
      }
    }
    try (OutputFolder out = OutputFolder.open(folder, overwrite, recipe.inputs())) {
      storeRecipe(out.staging());
      out.begin();
      Keeper keeper = new Keeper(out, progress);
      try {
        return train(keeper);
      } catch (IOException | RuntimeException | Error e) {
        if (!keeper.isWorthKeeping()) {
          out.restore();
        }
        throw e;
      }
    }
  }

  private RunResult train(Keeper keeper) throws IOException {
    try (PreparedData data = prepare(keeper.progress)) {
      Training made =
          Training.of(recipe, data).withCheckpoints(folder.resolve(RunFolder.CHECKPOINTS));
      keeper.data = data;
      try (keeper) {
        made.withObserver(keeper);
        if (isLonger) {
          made.withRenewedPatience();
        }
        if (!recipe.from().isEmpty()) {
          made.withInitialEvaluation();
        }
        started(made);
        return result(data, made.run());
      }
    }
  }

  private RunResult result(PreparedData data, TrainingOutcome outcome) throws IOException {
    if (outcome.diverged()) {
      throw new DivergenceException(outcome.failure());
    }
    boolean ended = outcome.ending() != TrainingOutcome.Ending.INTERRUPTED;
    Map<String, Metrics> test = ended ? data.test(folder) : Map.of();
    return new RunResult(folder, data.job().type(), outcome, test);
  }

  /** Writes metrics and the best model, and passes events on to the progress. */
  private final class Keeper implements TrainingObserver, AutoCloseable {
    private final OutputFolder out;
    private final Progress progress;
    private PreparedData data;
    private Model model;
    private MetricsFile metrics;
    private long steps;

    Keeper(OutputFolder out, Progress progress) {
      this.out = out;
      this.progress = progress;
    }

    /** Whether a new run that failed has done what would be missed. */
    boolean isWorthKeeping() {
      Path checkpoints = folder.resolve(RunFolder.CHECKPOINTS);
      return Trainer.canResume(checkpoints)
          || Trainer.canResume(checkpoints.resolve(RunFolder.PRETRAINING))
          || (steps > 0 && !out.hasReplaced());
    }

    @Override
    public void begun(Model begun, Task task, long step) {
      this.model = begun;
      if (prompt != null) {
        data.checkPrompt(model, prompt);
      }
      try {
        if (isLonger) {
          storeRecipe(folder);
        }
        long kept = step == 0 ? -1 : step; // the evaluation before the first update is repeated
        metrics = new MetricsFile(folder.resolve(RunFolder.METRICS), kept);
      } catch (IOException e) {
        throw new UncheckedIOException("cannot write metrics in " + folder, e);
      }
      progress.begun(description(model, task, step));
    }

    RunDescription description(Model described, Task task, long step) {
      return new RunDescription(
          data.job().type(),
          described.toString(),
          described.parameterCount(),
          data.summary(task),
          task.unit(),
          step);
    }

    @Override
    public TrainingObserver ofPretraining() {
      return new PretrainingKeeper(this);
    }

    @Override
    public void step(Step step) {
      steps++;
      metrics.step(step);
      progress.step(step);
    }

    @Override
    public void evaluation(Evaluation evaluation) {
      metrics.evaluation(evaluation);
      progress.evaluation(evaluation);
      if (evaluation.isBest()) {
        try {
          saveModel();
          out.settle();
        } catch (IOException e) {
          throw new UncheckedIOException("cannot save the model in " + folder, e);
        }
      }
      String sample = data.sample(model, prompt);
      if (sample != null) {
        progress.sample(sample);
      }
      byte[] picture = data.picture(model);
      if (picture != null) {
        progress.picture(picture);
      }
    }

    /** Saves the model, or the adapter alone. */
    private void saveModel() throws IOException {
      if (recipe.adapter().isNone()) {
        data.save(model, folder);
        return;
      }
      data.saveCompanions(folder);
      Path from = Path.of(recipe.from());
      SideFiles.copyMissing(from, folder);
      BaseModel base = BaseModel.of(from, model.config());
      PeftFolder.save(model, Adapters.DEFAULT, recipe.adapter(), base, folder);
    }

    @Override
    public void checkpoint(long step) {
      metrics.checkpoint(step);
    }

    @Override
    public void close() throws IOException {
      if (metrics != null) {
        metrics.close();
      }
    }
  }

  /** Writes the metrics of a pretraining, and passes events on to the progress. */
  private final class PretrainingKeeper implements TrainingObserver {
    private final Keeper keeper;
    private final Progress progress;
    private MetricsFile metrics;

    PretrainingKeeper(Keeper keeper) {
      this.keeper = keeper;
      this.progress = keeper.progress.pretraining();
    }

    @Override
    public void begun(Model begun, Task task, long step) {
      try {
        metrics =
            new MetricsFile(folder.resolve(RunFolder.PRETRAINING_METRICS), step == 0 ? -1 : step);
      } catch (IOException e) {
        throw new UncheckedIOException("cannot write metrics in " + folder, e);
      }
      progress.begun(keeper.description(begun, task, step));
    }

    @Override
    public void step(Step step) {
      keeper.steps++;
      metrics.step(step);
      progress.step(step);
    }

    @Override
    public void evaluation(Evaluation evaluation) {
      metrics.evaluation(evaluation);
      progress.evaluation(evaluation);
    }

    @Override
    public void checkpoint(long step) {
      metrics.checkpoint(step);
    }

    @Override
    public void ended(Model model, TrainingOutcome outcome) {
      try {
        metrics.close();
      } catch (IOException e) {
        throw new UncheckedIOException("cannot write metrics in " + folder, e);
      }
    }
  }

  /**
   * Reads the best value of the primary metric on held-out data of the run in a folder; NaN if it
   * was never evaluated.
   */
  public static double best(Path folder) throws IOException {
    double best = Double.NaN;
    for (String line : Files.readAllLines(folder.resolve(RunFolder.METRICS))) {
      JsonNode node = new JsonMapper().readTree(line);
      for (Map.Entry<String, JsonNode> field : node.properties()) {
        if (field.getKey().startsWith(MetricsFile.BEST)) {
          best = field.getValue().asDouble();
        }
      }
    }
    return best;
  }
}
