package dev.jformer.studies.trial;

import dev.jformer.data.DataException;
import dev.jformer.studies.DataSets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Finds the pretrained sentence encoder all-MiniLM-L6-v2: in the folder {@code minilm} of the data
 * sets, or in the folder where the build unpacks it.
 */
public final class MiniLm {
  private static final Path UNPACKED = Path.of("app", "target", "models", "minilm");

  private MiniLm() {}

  /**
   * Returns the folder of the model.
   *
   * @throws DataException if it is not found; the message names the command that unpacks it
   */
  public static Path folder() {
    Path given = DataSets.find("minilm");
    if (given != null) {
      return given;
    }
    String home = System.getProperty("jformer.home", ".");
    return List.of(Path.of(home).resolve(UNPACKED), Path.of("..").resolve(UNPACKED)).stream()
        .filter(Files::isDirectory)
        .findFirst()
        .orElseThrow(
            () ->
                new DataException(
                    "all-MiniLM-L6-v2 is not at "
                        + Path.of(home).resolve(UNPACKED)
                        + ": build with 'mvn package', which unpacks it there"));
  }
}
