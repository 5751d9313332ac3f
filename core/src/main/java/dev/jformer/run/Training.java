package dev.jformer.run;

import dev.jformer.hub.PeftFolder;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Flops;
import dev.jformer.tensor.Memory;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.DivergenceException;
import dev.jformer.train.Task;
import dev.jformer.train.Trainer;
import dev.jformer.train.TrainingConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A training of a recipe's model on prepared data. All random draws follow from the recipe's seed,
 * so the same training has the same losses in a run, a comparison or a study. Many trainings can
 * use the same data, one after the other.
 *
 * <pre>{@code
 * try (PreparedData data = Jobs.prepare(recipe)) {
 *   for (int seed = 1; seed <= 3; seed++) {
 *     TrainingOutcome outcome = Training.of(recipe.withSeed(seed), data).run();
 *     System.out.println(outcome.best());
 *   }
 * }
 * }</pre>
 */
public final class Training {
  /**
   * The operations of an update relative to a forward pass; the backward pass takes about twice
   * those of the forward pass.
   */
  private static final int PASSES = 3;

  private final Recipe recipe;
  private final PreparedData data;
  private final Given given;
  private final List<TrainingObserver> observers = new ArrayList<>();
  private Path checkpoints;
  private boolean resumes = true;
  private long evaluationBatches = PreparedData.USUAL;
  private boolean measured;
  private boolean ownShape;
  private boolean evaluatesFirst;
  private boolean renewsPatience;
  private Trainer trainer;
  private Training first;
  private boolean stopping;

  /** An existing model with its task, what is learned of it, and settings. */
  private record Given(Model model, Task task, Task learned, TrainingConfig training) {}

  private Training(Recipe recipe, PreparedData data, Given given) {
    this.recipe = recipe;
    this.data = data;
    this.given = given;
  }

  /** Creates a training that writes no files. */
  public static Training of(Recipe recipe, PreparedData data) {
    return new Training(recipe, data, null);
  }

  /**
   * Creates a training of an existing model, for example a compressed one, with a given task. The
   * model stays open, and operations are not counted.
   */
  public static Training of(Model model, Task task, TrainingConfig training) {
    return new Training(null, null, new Given(model, task, task, training));
  }

  /**
   * Returns this training writing checkpoints, and resuming from the newest one if there is one.
   *
   * @param folder the folder for checkpoints; null for none
   */
  public Training withCheckpoints(Path folder) {
    checkpoints = folder;
    return this;
  }

  /** Returns this training starting from the beginning, even if there are checkpoints. */
  Training withoutResuming() {
    resumes = false;
    return this;
  }

  /** Limits the batches of held-out data in an evaluation. */
  public Training withEvaluationBatches(long most) {
    evaluationBatches = most;
    return this;
  }

  /**
   * Keeps the shape of the recipe's model even if it begins with a trained one, whose weights are
   * copied where both have them. Without this the model has the shape of the trained one.
   */
  public Training withOwnShape() {
    ownShape = true;
    return this;
  }

  /**
   * Evaluates the initial model too, so that the best one may be that before training: for models
   * that begin with trained weights.
   */
  public Training withInitialEvaluation() {
    evaluatesFirst = true;
    return this;
  }

  /** Counts evaluations without improvement anew when training is resumed. */
  Training withRenewedPatience() {
    renewsPatience = true;
    return this;
  }

  /** Measures the operations and the memory of training. */
  public Training withMeasurements() {
    measured = true;
    return this;
  }

  /** Adds an observer. */
  public Training withObserver(TrainingObserver observer) {
    observers.add(observer);
    return this;
  }

  /**
   * Makes {@link #run}, from any thread, write a checkpoint after the present update and return.
   */
  public synchronized void stop() {
    stopping = true;
    if (trainer != null) {
      trainer.stop();
    }
    if (first != null) {
      first.stop();
    }
  }

  private synchronized void started(Trainer now) {
    trainer = now;
    if (stopping && now != null) {
      now.stop();
    }
  }

  /**
   * Builds the initial model of the training; the caller closes it.
   *
   * @throws RunException if the recipe begins with a model of another family
   */
  public Model build() throws IOException {
    try (PretrainedStart start = PretrainedStart.of(recipe)) {
      Random.seed(recipe.training().seed());
      Model.Config shape = ownShape ? recipe.model() : start.config(data.job().model());
      Model.Config fitted = data.fit(shape);
      if (recipe.adapter().isNone()) {
        Model made = data.build(fitted, recipe);
        start.copyTo(made);
        return made;
      }
      return new AdapterStart(recipe, data, evaluationBatches, ranks()).build(start, fitted);
    }
  }

  /** The ranks of the adapter of a run that is resumed; empty for a new one. */
  private Map<String, Integer> ranks() throws IOException {
    boolean resumed = resumes && checkpoints != null && Trainer.canResume(checkpoints);
    Path folder = resumed ? checkpoints.toAbsolutePath().getParent() : null;
    return resumed && PeftFolder.exists(folder) ? PeftFolder.base(folder).ranks() : Map.of();
  }

  /**
   * Trains. A loss that is not finite is an outcome, not an error.
   *
   * @throws IOException if the model to begin with cannot be read
   */
  public TrainingOutcome run() throws IOException {
    if (!measured) {
      return train();
    }
    TrainingOutcome[] outcome = new TrainingOutcome[1];
    IOException[] failure = new IOException[1];
    long peak =
        Memory.peakOf(
            () -> {
              try {
                outcome[0] = train();
              } catch (IOException e) {
                failure[0] = e;
              }
            });
    if (failure[0] != null) {
      throw failure[0];
    }
    return outcome[0].withPeakBytes(peak);
  }

  private TrainingOutcome train() throws IOException {
    if (given != null) {
      try (Scope scope = Scope.open()) {
        return train(given.model(), given.task(), given.learned(), Double.NaN, 0);
      }
    }
    try (Scope scope = Scope.open();
        TeacherModel teacher = new TeacherModel(recipe, data)) {
      Model model = build();
      try {
        Task task = data.task(model, recipe, evaluationBatches);
        TrainingOutcome before = pretrain(model, task, teacher);
        if (before != null && before.isCutOff()) {
          return before;
        }
        Task learned = recipe.objective().of(task, teacher);
        double flops =
            measured ? PASSES * data.forwardFlops(model, task) * passes(task, learned) : Double.NaN;
        return train(model, task, learned, flops, before == null ? 0 : before.seconds());
      } finally {
        model.close();
      }
    }
  }

  /**
   * Pretrains a model, unless the training itself has begun already. Pretraining that was cut off
   * goes on; if it had ended, its last weights are restored.
   *
   * @return the outcome; null if there was none
   */
  private TrainingOutcome pretrain(Model model, Task task, TeacherModel teacher)
      throws IOException {
    Pretraining pretraining = recipe.pretraining();
    if (pretraining.isNone()
        || (resumes && checkpoints != null && Trainer.canResume(checkpoints))) {
      return null;
    }
    if (!recipe.adapter().isNone()) {
      throw new RunException(
          "pretraining trains all weights, but the adapter '"
              + recipe.adapter().type()
              + "' freezes them: leave one of them out");
    }
    Task learned = pretraining.objective().of(task, teacher);
    TrainingConfig settings = pretraining.settings(recipe.training());
    Training made = new Training(null, null, new Given(model, task, learned, settings));
    made.checkpoints = checkpoints == null ? null : checkpoints.resolve(RunFolder.PRETRAINING);
    made.resumes = resumes;
    observers.forEach(observer -> made.withObserver(observer.ofPretraining()));
    started(made);
    TrainingOutcome outcome;
    try {
      outcome = made.run();
    } finally {
      started((Training) null);
    }
    if (outcome.isCutOff()) {
      observers.forEach(observer -> observer.ended(model, outcome));
    }
    Random.seed(recipe.training().seed()); // whether it ran now or before
    return outcome;
  }

  private synchronized void started(Training pretraining) {
    first = pretraining;
    if (stopping && first != null) {
      first.stop();
    }
  }

  private TrainingOutcome train(
      Model model, Task task, Task learned, double flops, double secondsBefore) throws IOException {
    TrainingConfig training = given == null ? recipe.training() : given.training();
    Course course = new Course(training, checkpoints);
    course.after(secondsBefore);
    Trainer.Result result = null;
    String failure = null;
    try (Trainer made = new Trainer(model, learned, training, checkpoints)) {
      if (resumes && checkpoints != null && Trainer.canResume(checkpoints)) {
        made.resume();
        if (renewsPatience) {
          made.renewPatience();
        }
        course.resume(made.step());
      }
      if (evaluatesFirst) {
        made.evaluateFirst();
      }
      made.addListener(course);
      observers.forEach(made::addListener);
      made.addListener(course.resumed());
      started(made);
      observers.forEach(observer -> observer.begun(model, task, made.step()));
      course.start();
      result = made.run();
    } catch (DivergenceException e) {
      failure = e.getMessage();
    } finally {
      started((Trainer) null);
    }
    TrainingOutcome outcome =
        course.outcome(result, failure, learned.unitsPerBatch(), model.parameterCount(), flops);
    observers.forEach(observer -> observer.ended(model, outcome));
    return outcome;
  }

  /** The operations of an objective relative to those of the task's own loss. */
  private static double passes(Task task, Task learned) {
    if (task == learned) {
      return 1;
    }
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor random = Random.state();
      double own = Flops.of(() -> task.loss(0));
      double all = Flops.of(() -> learned.loss(0));
      Random.restore(random);
      return all / own;
    }
  }
}
