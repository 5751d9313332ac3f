package dev.jformer.run;

import dev.jformer.config.Checks;
import dev.jformer.decode.BeamSearch;
import java.nio.file.Path;
import java.util.List;

/**
 * What a trained model is measured on, and how.
 *
 * @param data files or folders; empty for what the model's training held out, where that is there
 * @param references the translations of {@code data} for a translator; null for others
 * @param endings of the files of a text that count; empty for all
 * @param batch sequences at a time
 * @param beam translations that a translator follows at a time
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

  /** On what the model's training held out. */
  public static EvaluationRequest heldOut() {
    return of(List.of());
  }

  /** On this data. */
  public static EvaluationRequest of(Path data) {
    return of(List.of(data));
  }

  /** On several files. */
  public static EvaluationRequest of(List<Path> data) {
    return new EvaluationRequest(data, null, List.of(), BATCH, BEAM);
  }

  /** On texts and their translations. */
  public static EvaluationRequest of(Path source, Path target) {
    return new EvaluationRequest(List.of(source), target, List.of(), BATCH, BEAM);
  }

  /** The same with only those files of a text whose names end so. */
  public EvaluationRequest withEndings(List<String> others) {
    return new EvaluationRequest(data, references, others, batch, beam);
  }

  /** The same with so many sequences at a time. */
  public EvaluationRequest withBatch(int other) {
    return new EvaluationRequest(data, references, endings, other, beam);
  }

  /** The same with so many translations followed at a time. */
  public EvaluationRequest withBeam(int other) {
    return new EvaluationRequest(data, references, endings, batch, other);
  }

  BeamSearch.Settings search() {
    return new BeamSearch.Settings(beam);
  }

  /**
   * The one file or folder.
   *
   * @throws RunException if there is none, or more than one
   */
  Path only() {
    if (data.isEmpty()) {
      throw new RunException("there is nothing to measure the model on: give data with --data");
    }
    if (data.size() > 1) {
      throw new RunException("there are " + data.size() + " files of data: expected one");
    }
    return data.get(0);
  }
}
