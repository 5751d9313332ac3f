package dev.jformer.run;

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

/**
 * One training of a recipe's model on data that is ready. Everything random follows from the
 * recipe's seed, so the same training gives the same losses wherever it is begun: by a run, a
 * comparison or a study. Many trainings can use the same data, one after the other.
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
  /** The backward pass takes about twice the operations of the forward pass. */
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
  private Trainer trainer;
  private boolean stopping;

  /** A model that is there already, and what it learns. */
  private record Given(Model model, Task task, TrainingConfig training) {}

  private Training(Recipe recipe, PreparedData data, Given given) {
    this.recipe = recipe;
    this.data = data;
    this.given = given;
  }

  /** A training that writes nothing. */
  public static Training of(Recipe recipe, PreparedData data) {
    return new Training(recipe, data, null);
  }

  /**
   * A training of a model that is there already, for example a compressed one, by a task of one's
   * own. The model stays open, and operations are not counted.
   */
  public static Training of(Model model, Task task, TrainingConfig training) {
    return new Training(null, null, new Given(model, task, training));
  }

  /**
   * Writes checkpoints, and goes on from the newest one that is there.
   *
   * @param folder null for none
   */
  public Training withCheckpoints(Path folder) {
    checkpoints = folder;
    return this;
  }

  /** Begins anew whatever checkpoints there are. */
  Training withoutResuming() {
    resumes = false;
    return this;
  }

  /** Looks at no more than so many batches of held-out data in an evaluation. */
  public Training withEvaluationBatches(long most) {
    evaluationBatches = most;
    return this;
  }

  /**
   * Builds the model of the recipe even if it begins with a trained one, whose weights it takes as
   * far as it has them too; otherwise the model is of the trained one's shape.
   */
  public Training withOwnShape() {
    ownShape = true;
    return this;
  }

  /** Counts operations, and measures the memory that training takes. */
  public Training withMeasurements() {
    measured = true;
    return this;
  }

  /** Tells someone how it goes. */
  public Training withObserver(TrainingObserver observer) {
    observers.add(observer);
    return this;
  }

  /**
   * Asks a training, from any thread, to write a checkpoint after the present update and return.
   */
  public synchronized void stop() {
    stopping = true;
    if (trainer != null) {
      trainer.stop();
    }
  }

  private synchronized void started(Trainer now) {
    trainer = now;
    if (stopping && now != null) {
      now.stop();
    }
  }

  /**
   * The model as the training begins with it; the caller closes it.
   *
   * @throws RunException if the recipe begins with a model of another family
   */
  public Model build() throws IOException {
    try (PretrainedStart start = PretrainedStart.of(recipe)) {
      Random.seed(recipe.training().seed());
      Model.Config shape = ownShape ? recipe.model() : start.config(data.job().model());
      Model made = data.build(data.fit(shape), recipe);
      start.copyTo(made);
      return made;
    }
  }

  /**
   * Trains. A loss that ceases to be a number is an outcome, not an error.
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
    return outcome[0].withPeak(peak);
  }

  private TrainingOutcome train() throws IOException {
    if (given != null) {
      try (Scope scope = Scope.open()) {
        return train(given.model(), given.task(), given.task(), Double.NaN);
      }
    }
    try (Scope scope = Scope.open()) {
      Model model = build();
      try {
        Task task = data.task(model, recipe, evaluationBatches);
        Task learned = recipe.objective().of(task);
        double flops =
            measured ? PASSES * data.forwardFlops(model, task) * passes(task, learned) : Double.NaN;
        return train(model, task, learned, flops);
      } finally {
        model.close();
      }
    }
  }

  private TrainingOutcome train(Model model, Task task, Task learned, double flops)
      throws IOException {
    TrainingConfig training = given == null ? recipe.training() : given.training();
    Course course = new Course(training, checkpoints);
    Trainer.Result result = null;
    String failure = null;
    try (Trainer made = new Trainer(model, learned, training, checkpoints)) {
      if (resumes && checkpoints != null && Trainer.canResume(checkpoints)) {
        made.resume();
        course.resume(made.step());
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
      started(null);
    }
    TrainingOutcome outcome =
        course.outcome(result, failure, learned.unitsPerBatch(), model.parameterCount(), flops);
    observers.forEach(observer -> observer.ended(model, outcome));
    return outcome;
  }

  /** How many times the operations of the task's own loss an objective takes. */
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
