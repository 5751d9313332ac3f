package dev.jformer.run;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.io.AtomicFile;
import dev.jformer.io.FileTree;
import dev.jformer.metrics.Metrics;
import dev.jformer.train.Listener;
import dev.jformer.train.Trainer;
import dev.jformer.train.TrainingConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Records the losses and the time of a training. With a folder for checkpoints the record is stored
 * beside them, so that a resumed training has it complete.
 */
final class Course implements Listener {
  private static final String FILE = "course.json";
  private static final JsonMapper JSON = new JsonMapper();
  private static final int STRETCHES = 100;

  private final TrainingConfig training;
  private final Path folder;
  private final int stretch;
  private final List<TrainingOutcome.Loss> losses = new ArrayList<>();
  private final List<TrainingOutcome.Measurement> evaluations = new ArrayList<>();
  private final List<Mark> marks = new ArrayList<>();
  private long mark = System.nanoTime();
  private double seconds;
  private double firstSeconds;
  private long steps;
  private double sum;
  private int count;

  /**
   * The state at a checkpoint.
   *
   * @param seconds that training took until then
   * @param sum of the losses since the last one that was recorded
   * @param count of those losses
   */
  record Mark(long step, double seconds, double sum, int count) {}

  /** The record as it is stored beside checkpoints. */
  record Page(
      List<TrainingOutcome.Loss> losses,
      List<TrainingOutcome.Measurement> evaluations,
      List<Mark> marks,
      double firstSeconds) {}

  Course(TrainingConfig training, Path folder) {
    this.training = training;
    this.folder = folder;
    this.stretch = Math.max(1, training.steps() / STRETCHES);
  }

  /** Counts the time of a pretraining too. */
  void after(double before) {
    seconds += before;
    firstSeconds += before;
  }

  void start() {
    mark = System.nanoTime();
  }

  /**
   * A listener to add last, which excludes the time of the other listeners from that of training.
   */
  Listener resumed() {
    return new Listener() {
      @Override
      public void step(Step step) {
        start();
      }

      @Override
      public void evaluation(Evaluation evaluation) {
        start();
      }
    };
  }

  @Override
  public void step(Step step) {
    long now = System.nanoTime();
    seconds += (now - mark) / 1e9;
    if (step.step() == 1) {
      firstSeconds = seconds; // includes setup that is done once
    }
    steps = step.step();
    sum += step.loss();
    count++;
    if (count == stretch) {
      losses.add(new TrainingOutcome.Loss(steps, seconds, sum / count));
      sum = 0;
      count = 0;
    }
    mark = System.nanoTime();
  }

  @Override
  public void evaluation(Evaluation evaluation) {
    evaluations.removeIf(earlier -> earlier.step() == evaluation.step());
    evaluations.add(
        new TrainingOutcome.Measurement(evaluation.step(), seconds, evaluation.metrics()));
    mark = System.nanoTime();
  }

  /** Stores the record beside the checkpoint that will be written. */
  @Override
  public void checkpoint(long step) {
    marks.add(new Mark(step, seconds, sum, count));
    try {
      FileTree.createFolder(folder);
      Page page = new Page(losses, evaluations, marks, firstSeconds);
      AtomicFile.write(folder.resolve(FILE), JSON.writeValueAsBytes(page));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write the losses of the training to " + folder, e);
    }
  }

  /** Restores the record up to a step; does nothing if none is stored. */
  void resume(long step) throws IOException {
    steps = step;
    Path file = folder.resolve(FILE);
    if (!Files.exists(file)) {
      return;
    }
    Page page = JSON.readValue(file.toFile(), Page.class);
    page.losses().stream().filter(loss -> loss.step() <= step).forEach(losses::add);
    page.evaluations().stream().filter(e -> e.step() <= step).forEach(evaluations::add);
    page.marks().stream().filter(m -> m.step() <= step).forEach(marks::add);
    firstSeconds = page.firstSeconds();
    seconds = firstSeconds;
    if (!marks.isEmpty()) {
      Mark last = marks.get(marks.size() - 1);
      seconds = last.seconds();
      sum = last.step() == step ? last.sum() : 0;
      count = last.step() == step ? last.count() : 0;
    }
  }

  TrainingOutcome outcome(
      Trainer.Result result, String failure, long unitsPerBatch, long parameters, double flops) {
    double units = (double) unitsPerBatch * training.accumulate();
    Metrics last = evaluations.isEmpty() ? null : evaluations.get(evaluations.size() - 1).metrics();
    return new TrainingOutcome(
        result == null
            ? TrainingOutcome.Ending.DIVERGED
            : TrainingOutcome.Ending.valueOf(result.ending().name()),
        failure,
        steps,
        result == null ? last : result.last(),
        result == null ? null : result.best(),
        result == null ? 0 : result.bestStep(),
        List.copyOf(losses),
        List.copyOf(evaluations),
        seconds,
        units,
        (steps - 1.0) * units / (seconds - firstSeconds),
        parameters,
        flops,
        -1);
  }
}
