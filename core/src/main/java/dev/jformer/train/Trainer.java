package dev.jformer.train;

import dev.jformer.metrics.Metrics;
import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.nn.FusedCrossEntropy;
import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Recomputation;
import dev.jformer.nn.ScheduledModule;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Device;
import dev.jformer.tensor.Engine;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Trains a model: the training loop.
 *
 * <p>With a folder for checkpoints a run can be stopped, or killed, at any moment and {@linkplain
 * #resume resumed}: the losses that follow are then, bit for bit, those of a run that was never
 * interrupted, on the same CPU with the same number of threads; kernels of GPUs may add up in
 * another order each time.
 */
public final class Trainer implements AutoCloseable {
  private static final boolean HAS_BFLOAT16 = Engine.hasBfloat16();
  private static final String MODEL = "model";
  private static final String OPTIMIZER = "optimizer";
  private static final String AVERAGE = "average";
  private static final String RANDOM = "random";

  private final Module model;
  private final Task task;
  private final TrainingConfig training;
  private final Checkpoints checkpoints;
  private final Optimizer optimizer;
  private final MovingAverage average;
  private final List<Listener> listeners = new ArrayList<>();
  private final List<ScheduledModule> staged;

  private TrainingState progress = new TrainingState();
  private long saved = -1;
  private boolean evaluatesFirst;
  private volatile boolean stopping;
  private long lastUpdate = Long.MAX_VALUE;

  /**
   * Creates a trainer.
   *
   * @param checkpointFolder the folder for checkpoints; null for none
   */
  public Trainer(Module model, Task task, TrainingConfig training, Path checkpointFolder) {
    this.model = model;
    this.task = EveryGranularity.where(model, task);
    this.training = training;
    this.checkpoints = checkpointFolder == null ? null : new Checkpoints(checkpointFolder);
    this.optimizer = training.optimizer().build(model);
    this.staged =
        model.modules().values().stream()
            .filter(ScheduledModule.class::isInstance)
            .map(ScheduledModule.class::cast)
            .toList();
    this.average = training.ema() > 0 ? new MovingAverage(model, training.ema()) : null;
  }

  /** Adds a listener. */
  public void addListener(Listener listener) {
    listeners.add(listener);
  }

  /** Evaluates the model before the first update too, so that it counts among the best. */
  public void evaluateFirst() {
    evaluatesFirst = true;
  }

  /** Whether {@code folder} holds a checkpoint to resume from. */
  public static boolean canResume(Path folder) {
    return new Checkpoints(folder).exist();
  }

  /** The number of updates done so far. */
  public long step() {
    return progress.step();
  }

  /**
   * Makes {@link #run}, from any thread, write a checkpoint after the present update and return.
   */
  public void stop() {
    stopping = true;
  }

  /**
   * Makes {@link #run} write a checkpoint and return once so many updates are done, as {@link
   * #stop} does: a brief training with the schedule of a longer one.
   */
  public void stopAfter(long updates) {
    lastUpdate = updates;
  }

  /**
   * Restores the newest checkpoint.
   *
   * @throws TrainingException if there is none, or it is of another model
   */
  public void resume() {
    try (Scope scope = Scope.open()) {
      Checkpoints.Checkpoint found = checkpoints == null ? null : checkpoints.latest(groups());
      if (found == null) {
        throw new TrainingException(
            "there is no checkpoint to resume from that is whole: start a new run with"
                + " --overwrite");
      }
      try {
        restoreModel(found.groups().get(MODEL));
        optimizer.restore(found.groups().get(OPTIMIZER));
        if (average != null) {
          Map<String, Tensor> saved = found.groups().get(AVERAGE);
          average.state().forEach((name, tensor) -> tensor.copy_(saved.get(name)));
        }
        Random.restore(randomState(found));
      } catch (NullPointerException | IllegalArgumentException e) {
        throw new TrainingException(
            "the checkpoint does not belong to this model and recipe ("
                + e.getMessage()
                + "): resume with the model and recipe that the run began with",
            e);
      }
      progress = found.progress();
      saved = progress.step();
    }
  }

  /** Whose random state a checkpoint holds: devices of different kinds draw differently. */
  private static String generator() {
    return Device.current().type().name().toLowerCase(Locale.ROOT);
  }

  private static Tensor randomState(Checkpoints.Checkpoint checkpoint) {
    Map<String, Tensor> states = checkpoint.groups().get(RANDOM);
    Tensor state = states.get(generator());
    if (state == null) {
      throw new TrainingException(
          "the checkpoint was made on "
              + String.join(", ", states.keySet())
              + ": resume there, not on "
              + Device.current());
    }
    return state;
  }

  /** Counts evaluations without improvement anew, for a run that is to be longer. */
  public void renewPatience() {
    progress = progress.renewed();
  }

  /** The names of the groups of a checkpoint. */
  private Set<String> groups() {
    return average == null
        ? Set.of(MODEL, OPTIMIZER, RANDOM)
        : Set.of(MODEL, OPTIMIZER, RANDOM, AVERAGE);
  }

  /** The parameters that checkpoints hold: all but those that are fixed. */
  private Map<String, Parameter> stored() {
    Map<String, Parameter> stored = new LinkedHashMap<>(model.parameters());
    stored.values().removeIf(Parameter::isFixed);
    return stored;
  }

  private void restoreModel(Map<String, Tensor> saved) {
    stored()
        .forEach(
            (name, parameter) -> {
              Tensor values = saved.get(name);
              if (values == null || !values.shape().equals(parameter.value().shape())) {
                throw new IllegalArgumentException(
                    name
                        + " is "
                        + (values == null ? "missing" : values.shape())
                        + ", expected "
                        + parameter.value().shape());
              }
              parameter.copyFrom(values);
            });
  }

  /**
   * Trains until all steps are done, the primary metric stops improving, or {@link #stop} is
   * called.
   *
   * @throws TrainingException if the loss is not finite, or a checkpoint cannot be written
   */
  public Result run() {
    Clock clock = new Clock(training, task.unitsPerBatch());
    model.train(true);
    if (evaluatesFirst && progress.step() == 0 && !stopping) {
      progress = new TrainingState();
      evaluate(clock);
      clock.proceed();
    }
    while (progress.step() < training.steps() && !isStale()) {
      if (stopping || progress.step() >= lastUpdate) {
        save();
        return result(Result.Ending.INTERRUPTED);
      }
      Listener.Step done = update(clock);
      listeners.forEach(listener -> listener.step(done));
      boolean last = progress.step() == training.steps();
      if (last || progress.step() % training.evaluateEvery() == 0) {
        evaluate(clock);
      }
      if (last || isStale() || progress.step() % training.checkpointEvery() == 0) {
        save();
      }
      clock.proceed();
    }
    return result(isStale() ? Result.Ending.STOPPED_EARLY : Result.Ending.COMPLETED);
  }

  /** Whether the primary metric has stopped improving. */
  private boolean isStale() {
    return training.patience() > 0 && progress.stale() >= training.patience();
  }

  private Listener.Step update(Clock clock) {
    long step = progress.step();
    double rate = training.learningRate() * training.schedule().factor(step, training.steps());
    model.clearGrads();
    staged.forEach(module -> module.before(step, training.steps()));
    Accumulation sums = new Accumulation(training.accumulate());
    for (int i = 0; i < training.accumulate(); i++) {
      pass(step * training.accumulate() + i, sums);
    }
    sums.correct(optimizer);
    double loss = sums.loss();
    double norm = optimizer.clipGradients(training.clip() > 0 ? training.clip() : Double.MAX_VALUE);
    if (!Double.isFinite(loss) || !Double.isFinite(norm)) {
      throw diverged(step, loss, norm, rate);
    }
    optimizer.step(rate);
    progress = progress.after(step + 1);
    if (average != null) {
      average.update(step + 1);
    }
    clock.stepped();
    return ListenerStepBuilder.builder()
        .step(step + 1)
        .steps(training.steps())
        .loss(loss)
        .learningRate(rate)
        .gradientNorm(norm)
        .unitsPerSecond(clock.unitsPerSecond())
        .seconds(clock.seconds())
        .secondsLeft(clock.secondsLeft(step + 1))
        .figures(sums.metrics())
        .build();
  }

  /** Accumulates the gradients of the task's and the modules' losses. */
  private void pass(long batch, Accumulation sums) {
    try (Scope scope = Scope.open();
        AuxiliaryLosses auxiliary = AuxiliaryLosses.collect()) {
      Tensor loss;
      try (Mode mode = precision();
          Mode fused = FusedCrossEntropy.open();
          Mode again = training.recompute() ? Recomputation.open() : () -> {}) {
        loss = task.loss(batch);
      }
      sums.backward(loss, auxiliary);
    }
  }

  private Mode precision() {
    boolean narrow =
        switch (training.precision()) {
          case AUTO -> Device.current().equals(Device.CPU) && HAS_BFLOAT16;
          case FLOAT32 -> false;
          case BFLOAT16 -> true;
        };
    return Autograd.autocast(DType.BFLOAT16, narrow);
  }

  private DivergenceException diverged(long step, double loss, double norm, double rate) {
    return new DivergenceException(
        "training diverged at step "
            + (step + 1)
            + ": the loss is "
            + loss
            + " and the gradient norm "
            + norm
            + " at learning rate "
            + rate
            + "; try a lower learning rate, a longer warm-up or a smaller clip"
            + (checkpoints != null && checkpoints.exist()
                ? " (the last checkpoint is intact)"
                : ""));
  }

  private void evaluate(Clock clock) {
    double primary =
        withEvaluatedWeights(
            () -> {
              try (Scope scope = Scope.open()) {
                Tensor random = Random.state();
                Metrics metrics;
                try (Mode noGrad = Autograd.noGrad();
                    Mode mode = precision()) {
                  metrics = task.evaluate();
                }
                Random.restore(random);
                progress = progress.evaluated(metrics);
                Listener.Evaluation evaluation =
                    new Listener.Evaluation(
                        progress.step(), metrics, progress.bestValue(), clock.seconds());
                listeners.forEach(listener -> listener.evaluation(evaluation));
                return metrics.primary().value();
              }
            });
    if (Double.isNaN(primary)) {
      throw diverged(progress.step(), primary, 0, 0);
    }
  }

  /**
   * Runs {@code body} in inference mode with the weights that are evaluated and saved: the moving
   * averages, if there are any.
   */
  private double withEvaluatedWeights(java.util.function.DoubleSupplier body) {
    model.train(false);
    if (average != null) {
      average.swap();
    }
    try {
      return body.getAsDouble();
    } finally {
      if (average != null) {
        average.swap();
      }
      model.train(true);
    }
  }

  private void save() {
    if (checkpoints == null || saved == progress.step()) {
      return;
    }
    listeners.forEach(listener -> listener.checkpoint(progress.step()));
    try (Scope scope = Scope.open()) {
      Map<String, Map<String, Tensor>> groups = new LinkedHashMap<>();
      Map<String, Tensor> weights = new LinkedHashMap<>();
      stored().forEach((name, p) -> weights.put(name, p.value().detach()));
      groups.put(MODEL, weights);
      groups.put(OPTIMIZER, optimizer.state());
      if (average != null) {
        groups.put(AVERAGE, average.state());
      }
      groups.put(RANDOM, Map.of(generator(), Random.state()));
      checkpoints.save(progress, groups);
      saved = progress.step();
    }
  }

  private Result result(Result.Ending ending) {
    return new Result(
        ending, progress.step(), progress.last(), progress.best(), progress.bestStep());
  }

  /**
   * The result of a training.
   *
   * @param ending why it ended
   * @param steps updates done, those before a resumption included
   * @param last the latest metrics on held-out data; null if there was no evaluation
   * @param best the metrics of the evaluation with the best primary metric; null if there was none
   * @param bestStep the number of updates before the best evaluation
   */
  public record Result(Ending ending, long steps, Metrics last, Metrics best, long bestStep) {
    /** Why training ended. */
    public enum Ending {
      COMPLETED,
      STOPPED_EARLY,
      INTERRUPTED
    }
  }

  /** Releases the optimizer's memory; the model stays open. */
  @Override
  public void close() {
    optimizer.close();
    if (average != null) {
      average.close();
    }
  }
}
