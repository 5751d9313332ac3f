package dev.jformer.data.series.csv;

import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.FieldMismatchStrategy;
import dev.jformer.data.DataException;
import dev.jformer.data.series.Series;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Reads a series from a CSV file as people have them.
 *
 * <p>Found out are, where {@link CsvOptions} does not say them: the letters' encoding, the
 * separator, whether there is a header, the column of times (or two, of dates and of clocks) and
 * how times are written, the decimal sign, which columns hold numbers, and the frequency. Rows may
 * be in any order. Missing rows and values are filled as asked. Every such finding is a remark, so
 * that nobody has to guess what was read.
 *
 * <p>The file is read once, row by row; what is kept of a row is its numbers.
 */
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
    if (Files.isDirectory(file)) {
      throw new DataException(file + " is a folder: expected a CSV file");
    }
    Dialect dialect = Sniffer.sniff(file, options);
    CsvRows rows = new CsvRows(file, dialect);
    try (CsvReader<Boolean> reader =
        reader(dialect.separator()).build(rows, file, dialect.charset())) {
      for (Boolean none : reader) {
        throw new AssertionError("a row was given, not kept: " + none);
      }
    } catch (CsvParseException e) {
      throw malformed(file, e);
    }
    Series series = rows.series(options.gaps());
    return new Read(series, List.copyOf(dialect.remarks()));
  }

  /** What splits a file into fields; how many a row has is checked where names are known. */
  static CsvReader.CsvReaderBuilder reader(char separator) {
    return CsvReader.builder()
        .fieldSeparator(separator)
        .extraFieldStrategy(FieldMismatchStrategy.IGNORE)
        .missingFieldStrategy(FieldMismatchStrategy.IGNORE)
        .trimWhitespacesAroundQuotes(true)
        .detectBomHeader(true);
  }

  /** Our own error that passed through the splitter, or the splitter's in our words. */
  static DataException malformed(Path file, CsvParseException e) {
    if (e.getCause() instanceof DataException ours) {
      return ours;
    }
    String reason =
        e.getCause() == null ? e.getMessage() : e.getMessage() + ": " + e.getCause().getMessage();
    return new DataException(
        "%s cannot be split into fields: %s; mend the quotes, or say which separator it has"
            .formatted(file, reason),
        e);
  }
}
