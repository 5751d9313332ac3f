package dev.jformer.data.series.csv;

import de.siegmar.fastcsv.reader.CommentStrategy;
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
 * Reads a time series from a CSV file and detects its format.
 *
 * <p>Unless {@link CsvOptions} sets them, it detects the character encoding, the separator, whether
 * there is a header, comments and a line {@code sep=;} before it, the column of times (or two, of
 * dates and of times of day) and their format, the decimal sign, the columns that hold numbers, and
 * the frequency. Rows may be in any order. Missing rows and values are filled as the options say.
 * Everything that was detected or changed is reported as a remark.
 *
 * <p>The file is read row by row; only the numbers of a row are kept. It is read once more only if
 * late rows show that what was taken for a decimal sign separates thousands.
 */
public final class SeriesCsv {
  private SeriesCsv() {}

  /**
   * A series and remarks on how it was read.
   *
   * @param series the values
   * @param times how the file writes times
   * @param remarks what was detected in the file, and which gaps were filled, in sentences
   */
  public record Read(Series series, TimeFormat times, List<String> remarks) {}

  /**
   * Reads a file.
   *
   * @throws DataException if it holds no regular time series of numbers; the message names the
   *     file, the line, the column, the value, what was expected and what to do
   * @throws IOException if the file cannot be read
   */
  public static Read read(Path file, CsvOptions options) throws IOException {
    if (Files.exists(file) && !Files.isRegularFile(file)) {
      throw new DataException(
          file
              + (Files.isDirectory(file) ? " is a folder" : " is not a regular file")
              + ": expected a CSV file");
    }
    Dialect dialect = Sniffer.sniff(file, options);
    List<String> detected = List.copyOf(dialect.remarks());
    CsvRows rows = rows(file, dialect);
    if (options.decimalComma() == null && rows.isThousandsSignMistaken()) {
      dialect.remarks().retainAll(detected);
      String sign = dialect.decimalComma() ? "comma" : "point";
      rows =
          rows(
              file,
              dialect.withOtherDecimalSign(
                  "the %s separates thousands: other values of its column are whole numbers"
                      .formatted(sign)));
    }
    return rows.read(options.gaps());
  }

  private static CsvRows rows(Path file, Dialect dialect) throws IOException {
    CsvRows rows = new CsvRows(file, dialect);
    try (CsvReader<Boolean> reader =
        reader(dialect.separator(), dialect.comments()).build(rows, file, dialect.charset())) {
      reader.skipLines(dialect.skipped());
      for (Boolean none : reader) {
        throw new AssertionError("a record was returned instead of kept:  " + none);
      }
    } catch (CsvParseException e) {
      throw malformed(file, e);
    }
    return rows;
  }

  /** A reader that splits a file into fields; their number is checked where names are known. */
  static CsvReader.CsvReaderBuilder reader(char separator, boolean comments) {
    return CsvReader.builder()
        .commentStrategy(comments ? CommentStrategy.SKIP : CommentStrategy.NONE)
        .fieldSeparator(separator)
        .extraFieldStrategy(FieldMismatchStrategy.IGNORE)
        .missingFieldStrategy(FieldMismatchStrategy.IGNORE)
        .trimWhitespacesAroundQuotes(true)
        .detectBomHeader(true);
  }

  /** Our own error thrown while reading, or a new one that explains the parser's. */
  static DataException malformed(Path file, CsvParseException e) {
    if (e.getCause() instanceof DataException ours) {
      return ours;
    }
    String reason =
        e.getCause() == null ? e.getMessage() : e.getMessage() + ": " + e.getCause().getMessage();
    return new DataException(
        "%s cannot be split into fields: %s; correct the quotes, or give the separator"
            .formatted(file, reason),
        e);
  }
}
