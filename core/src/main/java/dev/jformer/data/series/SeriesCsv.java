package dev.jformer.data.series;

import dev.jformer.data.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/** Reads a series from a CSV file as people have them. */
public final class SeriesCsv {
  private SeriesCsv() {}

  /**
   * A series and what reading it involved.
   *
   * @param series the values
   * @param remarks what was found out about the file, and which gaps were filled, in sentences
   */
  public record Read(Series series, List<String> remarks) {}

  /**
   * Reads a file.
   *
   * @throws DataException if it holds no regular series of numbers; the message names the file, the
   *     line, the column, the value, what was expected and what to do
   * @throws IOException if the file cannot be read
   */
  public static Read read(Path file, CsvOptions options) throws IOException {
    if (!Files.isReadable(file)) {
      throw new NoSuchFileException(file.toString());
    }
    throw new UnsupportedOperationException("not yet");
  }
}
