package dev.jformer.data.series.csv;

import de.siegmar.fastcsv.reader.AbstractBaseCsvCallbackHandler;
import dev.jformer.data.DataException;
import dev.jformer.data.series.Gaps;
import dev.jformer.data.series.Series;
import dev.jformer.data.series.Times;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Receives a file's fields one by one and keeps only numbers: the time, the line and the values of
 * each row. It creates no objects for rows or fields.
 */
final class CsvRows extends AbstractBaseCsvCallbackHandler<Boolean> {
  private static final long MOST_BYTES = Runtime.getRuntime().maxMemory() / 3;

  private final Path file;
  private final Dialect dialect;
  private final NumberText number;
  private final TimeColumn times;
  private final TimeSample sample = new TimeSample();

  /** The index of the variable that a column of the file holds; -1 for none. */
  private final int[] variable;

  private final ThousandsEvidence thousands;
  private final boolean[] seen;
  private final boolean[] isText;
  private double[][] columns;
  private int[] lines = new int[1024];
  private int count;
  private boolean headerPassed;

  private final double[] row;
  private char[] stamp = new char[64];
  private char[] clock = new char[64];
  private int stampLength;
  private int clockLength;
  private int fields;
  private boolean blank;
  private String extra;

  CsvRows(Path file, Dialect dialect) {
    this.file = file;
    this.dialect = dialect;
    number = new NumberText(dialect.decimalComma());
    times = new TimeColumn(file, dialect.names().get(dialect.time()));
    variable = new int[dialect.names().size()];
    Arrays.fill(variable, -1);
    int variables = dialect.values().size();
    for (int v = 0; v < variables; v++) {
      variable[dialect.values().get(v)] = v;
    }
    thousands = new ThousandsEvidence(variables);
    seen = new boolean[variables];
    isText = new boolean[variables];
    columns = new double[variables][1024];
    row = new double[variables];
    headerPassed = !dialect.header();
  }

  @Override
  protected void handleBegin(long line) {
    stampLength = 0;
    clockLength = 0;
    fields = 0;
    blank = true;
    extra = null;
    Arrays.fill(row, Double.NaN);
  }

  @Override
  protected void handleField(int index, char[] text, int from, int length, boolean quoted) {
    fields = index + 1;
    boolean empty = isBlank(text, from, length);
    blank &= empty;
    if (!headerPassed || empty) {
      return;
    }
    if (index >= variable.length) {
      extra = extra == null ? new String(text, from, length) : extra;
    } else if (index == dialect.time()) {
      stamp = fitting(stamp, length);
      System.arraycopy(text, from, stamp, 0, length);
      stampLength = length;
    } else if (index == dialect.clock()) {
      clock = fitting(clock, length);
      System.arraycopy(text, from, clock, 0, length);
      clockLength = length;
    } else if (variable[index] >= 0) {
      value(variable[index], index, text, from, length);
    }
  }

  private static boolean isBlank(char[] text, int from, int length) {
    for (int i = from; i < from + length; i++) {
      if (!Character.isWhitespace(text[i]) && text[i] != '\u00a0') {
        return false;
      }
    }
    return true;
  }

  private static char[] fitting(char[] buffer, int length) {
    return length <= buffer.length ? buffer : new char[length];
  }

  private void value(int v, int column, char[] text, int from, int length) {
    NumberText.Kind kind = number.read(text, from, length);
    if (kind == NumberText.Kind.NUMBER) {
      row[v] = number.value();
      thousands.add(v, number.shape());
      seen[v] = true;
    } else if (kind != NumberText.Kind.MISSING && !isText[v]) {
      String shown = Sniffer.cut(new String(text, from, length));
      if (!seen[v] && dialect.unknown().contains(column)) {
        isText[v] = true;
        dialect
            .remarks()
            .add(
                "column '%s' is left out: it holds text such as '%s'"
                    .formatted(dialect.names().get(column), shown));
        return;
      }
      String name = dialect.names().get(column);
      throw wrong(
          name,
          kind == NumberText.Kind.TOO_LARGE
              ? "'%s' is not a finite number below 3.4e38: correct it".formatted(shown)
              : ("'%s' is not a number: expected one such as %s, or nothing where the value is missing;"
                      + " correct it, or read only the other columns")
                  .formatted(shown, dialect.decimalComma() ? "3,14" : "3.14"));
    }
  }

  private DataException wrong(String column, String what) {
    return new DataException(
        "%s, line %d%s: %s"
            .formatted(
                file,
                getStartingLineNumber(),
                column == null ? "" : ", column '" + column + "'",
                what));
  }

  /** Keeps the row's numbers; returns null, because there are no record objects. */
  @Override
  protected Boolean buildRecord() {
    if (blank) {
      return null;
    }
    if (!headerPassed) {
      headerPassed = true;
      return null;
    }
    int width = variable.length;
    if (fields < width || extra != null) {
      throw wrong(
          null,
          "%d fields, expected the %d columns %s%s; correct the line, or quote fields that contain the separator"
              .formatted(
                  fields,
                  width,
                  Sniffer.cut(dialect.names().toString()),
                  extra == null ? "" : ", and then found '" + Sniffer.cut(extra) + "'"));
    }
    sample.add(count, stamp, stampLength, clock, clockLength);
    if (clockLength > 0 && stampLength > 0) {
      int joined = stampLength + 1 + clockLength;
      stamp = joined <= stamp.length ? stamp : Arrays.copyOf(stamp, joined);
      stamp[stampLength] = ' ';
      System.arraycopy(clock, 0, stamp, stampLength + 1, clockLength);
      stampLength = joined;
    }
    times.add(stamp, 0, stampLength, getStartingLineNumber());
    if (count == lines.length) {
      int larger = count + (count >> 1);
      if (larger * (Double.BYTES * (columns.length + 2L)) > MOST_BYTES) {
        throw wrong(
            null,
            ("%,d rows of %d columns do not fit into memory: read fewer columns, or give Java more"
                    + " memory, for example with JAVA_TOOL_OPTIONS=-Xmx8g")
                .formatted(count, columns.length));
      }
      lines = Arrays.copyOf(lines, larger);
      for (int v = 0; v < columns.length; v++) {
        columns[v] = Arrays.copyOf(columns[v], larger);
      }
    }
    lines[count] = (int) Math.min(Integer.MAX_VALUE, getStartingLineNumber());
    for (int v = 0; v < columns.length; v++) {
      columns[v][count] = row[v];
    }
    count++;
    return null;
  }

  /** Whether what was read as a decimal sign separates thousands. */
  boolean isThousandsSignMistaken() {
    return thousands.isFound();
  }

  /** The series of all rows, and how the file writes times. Can be called once. */
  SeriesCsv.Read read(Gaps gaps) {
    List<String> remarks = dialect.remarks();
    if (count < 2) {
      throw new DataException(
          "%s has %s: expected two or more, to find a frequency"
              .formatted(file, count == 1 ? "1 row" : "no rows"));
    }
    List<String> names = new ArrayList<>();
    List<double[]> kept = new ArrayList<>();
    for (int v = 0; v < columns.length; v++) {
      String name = dialect.names().get(dialect.values().get(v));
      double[] values = Arrays.copyOf(columns[v], count);
      columns[v] = null;
      if (isText[v]) {
        continue;
      }
      if (!seen[v]) {
        if (dialect.asked()) {
          throw new DataException(
              "%s, column '%s' holds no value at all: expected numbers; leave the column out"
                  .formatted(file, name));
        }
        remarks.add("column '" + name + "' is left out: it holds no value at all");
      } else if (!dialect.asked() && dialect.header() && isIndex(name, values)) {
        remarks.add(name + " has no name and counts the rows: it is left out");
      } else {
        names.add(name);
        kept.add(values);
      }
    }
    if (names.isEmpty()) {
      throw new DataException(file + " has no column of numbers: " + String.join("; ", remarks));
    }
    long[] settled = times.settled(lines, remarks);
    TimeFormat format = format(settled);
    Series series = new Timeline(file, settled, lines, remarks).series(names, kept, gaps);
    return new SeriesCsv.Read(series, format, List.copyOf(remarks));
  }

  private TimeFormat format(long[] settled) {
    List<String> names = new ArrayList<>(List.of(dialect.names().get(dialect.time())));
    if (dialect.clock() >= 0) {
      names.add(dialect.names().get(dialect.clock()));
    }
    List<LocalDateTime> sampled =
        sample.rows().stream().map(row -> Times.of(settled[row])).toList();
    return TimeFormat.of(names, sample.texts(), sampled).orElse(TimeFormat.iso(names.get(0)));
  }

  /** Whether a column is a row number, which programs often write as an unnamed first column. */
  private static boolean isIndex(String name, double[] values) {
    if (!name.startsWith("column ")) {
      return false;
    }
    for (int i = 0; i < values.length; i++) {
      if (values[i] != values[0] + i) {
        return false;
      }
    }
    return values[0] == 0 || values[0] == 1;
  }
}
