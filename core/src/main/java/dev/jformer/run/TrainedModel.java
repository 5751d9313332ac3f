package dev.jformer.run;

import dev.jformer.hub.Models;
import dev.jformer.model.Model;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A trained model with its folder, ready for use, whatever its job. Not for several threads. */
public abstract class TrainedModel implements AutoCloseable {
  private final Path folder;

  TrainedModel(Path folder, Model model) {
    this.folder = folder;
    model.train(false);
  }

  /**
   * Loads a model: one of ours, or what else {@link Models#load} reads.
   *
   * @throws RunException if no job uses it
   */
  public static TrainedModel load(Path folder) throws IOException {
    Model model = Models.load(folder);
    try {
      return of(folder, model);
    } catch (RuntimeException | Error e) {
      model.close();
      throw e;
    }
  }

  /**
   * A model that is loaded already, or was made of one, with the folder of the one it was made of.
   * It is closed with what is returned.
   */
  public static TrainedModel of(Path folder, Model model) {
    return Jobs.of(model.config()).use(folder, model);
  }

  /** The folder, with the tokenizer or what else belongs to the model. */
  public final Path folder() {
    return folder;
  }

  /** The kind of task that it does. */
  public abstract Job job();

  /** The model. */
  public abstract Model model();

  /**
   * Measures the model.
   *
   * @throws RunException if the data is missing or of the wrong kind
   */
  public EvaluationResult evaluate(EvaluationRequest request, Progress progress)
      throws IOException {
    throw new RunException(
        folder + " holds a " + model().config().type() + ", which cannot be measured on files");
  }

  /** Whether there is data that the training held out, to {@link #evaluate} on. */
  public boolean hasHeldOutData() {
    return false;
  }

  /**
   * Reads data to calibrate models of this family with.
   *
   * @param data of the kind that the model takes
   * @param endings of the files of a text that count; empty for all
   * @param count the most batches
   * @throws RunException if there is none in {@code data}
   */
  public CalibrationBatches calibration(
      Path data, List<String> endings, int count, Progress progress) throws IOException {
    throw new RunException(
        folder
            + " holds a "
            + model().config().type()
            + ", for which calibration data cannot be read: expected a model of texts or images");
  }

  /**
   * Classifies texts, the lines of text files, or images.
   *
   * @throws RunException if the model is no classifier, or one of something else
   */
  public List<Classification> classify(List<String> texts, List<Path> files) throws IOException {
    throw new RunException(folder + " holds a " + model().config().type() + ", no classifier");
  }

  /** Passes through models of this family; empty for models that take more than one input. */
  public Optional<ForwardPasses> passes() {
    return Optional.empty();
  }

  /** Releases the model. */
  @Override
  public void close() {
    model().close();
  }
}
