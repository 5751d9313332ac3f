package dev.jformer.studies;

import dev.jformer.data.DataException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Finds the data sets of studies, which are not part of this project. They are looked up in the
 * folder that the environment variable {@code JFORMER_DATA} names, or in {@code ../shared/data} if
 * it is not set.
 */
public final class DataSets {
  private static final String VARIABLE = "JFORMER_DATA";
  private static final Path USUAL = Path.of("..", "shared", "data");

  private DataSets() {}

  /**
   * Returns the path of a data set's file, for example {@code ett/ETTh1.csv}; null if it is not
   * found.
   */
  public static Path find(String name) {
    String named = System.getenv(VARIABLE);
    List<Path> folders =
        named == null ? List.of(USUAL, Path.of("..").resolve(USUAL)) : List.of(Path.of(named));
    return folders.stream()
        .map(folder -> folder.resolve(name))
        .filter(Files::isReadable)
        .findFirst()
        .orElse(null);
  }

  /**
   * Returns the path of a data set's file.
   *
   * @throws DataException if it is not found; the message says where to put it
   */
  public static Path require(String name) {
    Path found = find(name);
    if (found == null) {
      throw new DataException(
          "the data set "
              + name
              + " is neither under "
              + USUAL
              + " nor where "
              + VARIABLE
              + " points: put it there, or set "
              + VARIABLE
              + " to the folder that holds it");
    }
    return found;
  }
}
