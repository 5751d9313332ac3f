package dev.jformer.run;

import dev.jformer.config.Checks;
import dev.jformer.decode.BeamSearch;
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
 */
public record EvaluationRequest(
    List<Path> data, Path references, List<String> endings, int batch, int beam) {
  private static final int BATCH = 16;
  private static final int BEAM = 5;

  /** Checks the values. */
  public EvaluationRequest {
    data = List.copyOf(data);
    endings = List.copyOf(endings);
    Checks.atLeast("batch", batch, 1);
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
    return new EvaluationRequest(data, null, List.of(), BATCH, BEAM);
  }

  /** Creates a request for a file of texts and a file of their translations. */
  public static EvaluationRequest of(Path source, Path target) {
    return new EvaluationRequest(List.of(source), target, List.of(), BATCH, BEAM);
  }

  /** Returns this request with other file name endings. */
  public EvaluationRequest withEndings(List<String> others) {
    return new EvaluationRequest(data, references, others, batch, beam);
  }

  /** Returns this request with another batch size. */
  public EvaluationRequest withBatch(int other) {
    return new EvaluationRequest(data, references, endings, other, beam);
  }

  /** Returns this request with another beam width. */
  public EvaluationRequest withBeam(int other) {
    return new EvaluationRequest(data, references, endings, batch, other);
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
