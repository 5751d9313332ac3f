package dev.jformer.run;

import dev.jformer.config.Configs;
import dev.jformer.data.Fingerprint;
import dev.jformer.io.AtomicFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The file {@code problem.json} in the folder of a model whose data was made: what the data is, and
 * the seed that it is drawn by.
 */
final class ProblemFile {
  /** Its name. */
  static final String NAME = "problem.json";

  private ProblemFile() {}

  /** Whether a folder has one. */
  static boolean isIn(Path folder) {
    return Files.exists(folder.resolve(NAME));
  }

  /**
   * Writes it.
   *
   * @param origin a configuration that can be read again
   */
  static void write(Object origin, Path folder) throws IOException {
    AtomicFile.write(folder.resolve(NAME), bytes(origin));
  }

  /**
   * Reads it.
   *
   * @param fault the error for a folder that has none
   */
  static <O> O read(Path folder, Class<O> kind, String fault) {
    if (!isIn(folder)) {
      throw new RunException(fault);
    }
    return Configs.read(folder.resolve(NAME), kind);
  }

  /** What tells made data from other. */
  static String fingerprint(Object origin) {
    return Fingerprint.of(bytes(origin));
  }

  /**
   * Refuses data in a request to measure a model whose data is made.
   *
   * @param does what the model does with it
   */
  static void refuseData(EvaluationRequest request, Path folder, String does) {
    if (!request.data().isEmpty()) {
      throw new RunException(folder + " " + does + ": leave out --data");
    }
  }

  private static byte[] bytes(Object origin) {
    return Configs.toJson(origin).getBytes(StandardCharsets.UTF_8);
  }
}
