package dev.jformer.run;

import dev.jformer.config.Checks;
import dev.jformer.decode.BeamSearch;
import dev.jformer.decode.HiddenStateOptimization;
import java.nio.file.Path;
import java.util.List;

/**
 * The data and the settings for evaluating a trained model.
 *
 * @param data files or folders; empty for the data that the model's training held out
 * @param references the translations of {@code data} for a translator; null for others
 * @param endings the file name endings to include for text; empty for all files
 * @param batch number of sequences in a batch
 * @param beam width of a translator's beam search
 * @param window tokens of a text that a language model sees at once; 0 for its length, at most
 *     2,048
 * @param stride tokens from one window's start to the next; 0 for the window, without overlap
 * @param states how a language model adapts its cache to the text that it reads; null if it does
 *     not
 * @param judging how images that a diffusion model makes are compared with those of the data; null
 *     if they are not
 */
public record EvaluationRequest(
    List<Path> data,
    Path references,
    List<String> endings,
    int batch,
    int beam,
    int window,
    int stride,
    HiddenStateOptimization.Settings states,
    ImageJudging judging) {
  private static final int BATCH = 16;
  private static final int BEAM = 5;

  /** The longest window, unless more is asked for: logits and attention grow with it. */
  static final int USUAL_WINDOW = 2048;

  /** Checks the values. */
  public EvaluationRequest {
    data = List.copyOf(data);
    endings = List.copyOf(endings);
    Checks.atLeast("batch", batch, 1);
    Checks.atLeast("window", window, 0);
    Checks.atLeast("stride", stride, 0);
  }

  /** Creates a request for the data that the model's training held out. */
  public static EvaluationRequest heldOut() {
    return of(List.of());
  }

  /** Creates a request for one file or folder. */
  public static EvaluationRequest of(Path data) {
    return of(List.of(data));
  }

  /** Creates a request for several files. */
  public static EvaluationRequest of(List<Path> data) {
    return new EvaluationRequest(data, null, List.of(), BATCH, BEAM, 0, 0, null, null);
  }

  /** Creates a request for a file of texts and a file of their translations. */
  public static EvaluationRequest of(Path source, Path target) {
    return new EvaluationRequest(List.of(source), target, List.of(), BATCH, BEAM, 0, 0, null, null);
  }

  /** Returns this request with other file name endings. */
  public EvaluationRequest withEndings(List<String> others) {
    return new EvaluationRequest(
        data, references, others, batch, beam, window, stride, states, judging);
  }

  /** Returns this request with another batch size. */
  public EvaluationRequest withBatch(int other) {
    return new EvaluationRequest(
        data, references, endings, other, beam, window, stride, states, judging);
  }

  /** Returns this request with another beam width. */
  public EvaluationRequest withBeam(int other) {
    return new EvaluationRequest(
        data, references, endings, batch, other, window, stride, states, judging);
  }

  /**
   * Returns this request with other windows of a text.
   *
   * @param others tokens of a window; 0 for the default
   * @param strides tokens from one window's start to the next; 0 for the window
   */
  public EvaluationRequest withWindow(int others, int strides) {
    return new EvaluationRequest(
        data, references, endings, batch, beam, others, strides, states, judging);
  }

  /** Returns this request with another way to adapt to the text; null for none. */
  public EvaluationRequest withStates(HiddenStateOptimization.Settings others) {
    return new EvaluationRequest(
        data, references, endings, batch, beam, window, stride, others, judging);
  }

  /** Returns this request with a comparison of images that the model makes; null for none. */
  public EvaluationRequest withJudging(ImageJudging others) {
    return new EvaluationRequest(
        data, references, endings, batch, beam, window, stride, states, others);
  }

  /**
   * The tokens that a model sees at once.
   *
   * @throws RunException if it cannot see so many
   */
  int windowOf(long longest, int length) {
    if (window == 0) {
      return Math.min(length, USUAL_WINDOW);
    }
    if (window > longest) {
      throw new RunException(
          "the window is " + window + " tokens, but the model takes " + longest + " at most");
    }
    return window;
  }

  /**
   * The tokens from one window's start to the next.
   *
   * @throws RunException if windows would leave tokens out
   */
  int strideOf(int used) {
    if (stride > used) {
      throw new RunException(
          "the stride is " + stride + " tokens: expected at most the window, " + used);
    }
    return stride == 0 ? used : stride;
  }

  BeamSearch.Settings search() {
    return new BeamSearch.Settings(beam);
  }

  /**
   * The file or folder of a request that has one.
   *
   * @throws RunException if there is not exactly one
   */
  Path only() {
    if (data.isEmpty()) {
      throw new RunException("there is no data to measure the model on: give some with --data");
    }
    if (data.size() > 1) {
      throw new RunException("there are " + data.size() + " files of data: expected one");
    }
    return data.get(0);
  }
}
