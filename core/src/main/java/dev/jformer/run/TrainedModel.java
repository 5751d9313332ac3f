package dev.jformer.run;

import dev.jformer.hub.Models;
import dev.jformer.model.Model;
import dev.jformer.tensor.Scope;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A trained model with its folder, ready for use, of any job. It is not thread-safe. */
public abstract class TrainedModel implements AutoCloseable {
  private final Job job;
  private final Path folder;
  private final Model model;
  private final Optional<ForwardPasses> passes;

  /**
   * Puts a model into inference mode.
   *
   * @param passes its forward passes; null if it has more than one input
   */
  TrainedModel(Job job, Path folder, Model model, ForwardPasses passes) {
    this.job = job;
    this.folder = folder;
    this.model = model;
    this.passes = Optional.ofNullable(passes);
    model.train(false);
  }

  /**
   * Loads a model: one that this library saved, or another that {@link Models#load} reads. A folder
   * whose replacement was cut off is put in order before.
   *
   * @throws RunException if there is no job for it
   */
  public static TrainedModel load(Path folder) throws IOException {
    OutputFolder.repair(folder);
    Model model = Models.load(folder);
    try {
      return of(folder, model);
    } catch (RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  /**
   * Wraps a loaded model, or one derived from it, with the folder of the loaded one. It is closed
   * with the result.
   */
  public static TrainedModel of(Path folder, Model model) {
    return Jobs.of(folder, model.config()).use(folder, model);
  }

  /** The folder of the model, with files such as the tokenizer. */
  public final Path folder() {
    return folder;
  }

  /** Refuses texts to a classifier of something else. */
  final void refuseTexts(List<String> texts, String what) {
    if (!texts.isEmpty()) {
      throw new RunException(folder + " holds a classifier of " + what + ": it takes no --text");
    }
  }

  /** The job of the model. */
  public final Job job() {
    return job;
  }

  /** The model. */
  public final Model model() {
    return model;
  }

  /**
   * Measures the model.
   *
   * @throws RunException if the data is missing or of the wrong kind
   */
  public EvaluationResult evaluate(EvaluationRequest request, Progress progress)
      throws IOException {
    throw new RunException(
        folder + " holds " + model.config().noun() + ", which cannot be measured on files");
  }

  /** Whether {@link #evaluate} can compare images that the model makes with those of the data. */
  public boolean makesImages() {
    return false;
  }

  /** Whether {@link #evaluate} reads a text in windows, as language models do. */
  public boolean readsWindows() {
    return false;
  }

  /** Whether the folder holds data that the training held out, for {@link #evaluate}. */
  public boolean hasHeldOutData() {
    return false;
  }

  /**
   * Reads calibration data for models of this family.
   *
   * @param data files of the kind that the model takes
   * @param endings the file name endings to include for text; empty for all files
   * @param count the most batches
   * @throws RunException if {@code data} holds none
   */
  public final CalibrationBatches calibration(
      Path data, List<String> endings, int count, Progress progress) throws IOException {
    CalibrationBatches batches =
        new CalibrationBatches(data.toString(), model, passes.orElse(null), count, progress);
    try (Scope scope = Scope.open()) {
      calibrate(batches, data, endings);
      return batches.checked();
    } catch (IOException | RuntimeException | Error e) {
      batches.close();
      throw e;
    }
  }

  /** Reads the batches of {@link #calibration}, until {@code batches} takes no more. */
  void calibrate(CalibrationBatches batches, Path data, List<String> endings) throws IOException {
    throw new RunException(
        folder
            + " holds "
            + model.config().noun()
            + ", for which calibration data cannot be read: expected a model of texts or images");
  }

  /**
   * Classifies texts, the lines of text files, or images.
   *
   * @throws RunException if the model is not a classifier of such inputs
   */
  public List<Classification> classify(List<String> texts, List<Path> files) throws IOException {
    throw new RunException(folder + " holds " + model.config().noun() + ": expected a classifier");
  }

  /**
   * Predicts what the model was trained for: the classes of texts or images, or the entities in
   * texts.
   *
   * @param files text files, whose lines are inputs, or images
   * @throws RunException if the model does not predict on such inputs
   */
  public List<? extends InputPrediction> predict(List<String> texts, List<Path> files)
      throws IOException {
    return classify(texts, files);
  }

  /** The forward passes of models of this family; empty for models with more than one input. */
  public final Optional<ForwardPasses> passes() {
    return passes;
  }

  /** Releases the model. */
  @Override
  public void close() {
    model.close();
  }
}
