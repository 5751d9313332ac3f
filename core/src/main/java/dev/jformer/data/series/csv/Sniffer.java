package dev.jformer.data.series.csv;

import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import dev.jformer.config.Nearest;
import dev.jformer.data.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** Detects the format of a CSV file from its beginning. */
final class Sniffer {
  private static final int BYTES = 1 << 18;
  private static final int RECORDS = 2_000;
  private static final char[] SEPARATORS = {',', ';', '\t', '|'};

  /** A comma that must be a decimal sign: not three digits after it, or a lone or leading zero. */
  private static final Pattern DECIMAL_COMMA =
      Pattern.compile(
          "[+-]?(\\d*,(\\d{1,2}|\\d{4,})|0?,\\d+|\\d{4,},\\d+|\\d{1,3}(\\.\\d{3})+,\\d+)([eE][+-]?\\d+)?");

  private static final Pattern OPEN_COMMA = Pattern.compile("[+-]?\\d{1,3},\\d{3}");
  private static final Pattern DECIMAL_POINT =
      Pattern.compile(
          "[+-]?(\\d*\\.(\\d{1,2}|\\d{4,})|0?\\.\\d+|\\d{4,}\\.\\d+|\\d{1,3}(,\\d{3})+\\.\\d+)([eE][+-]?\\d+)?");

  private final Path file;
  private final CsvOptions options;
  private final List<String> remarks = new ArrayList<>();
  private final Set<Integer> unknown = new HashSet<>();
  private boolean whole;
  private Preamble preamble;
  private boolean comments;
  private final TimeText times = new TimeText();
  private final NumberText pointNumbers = new NumberText(false);
  private final NumberText commaNumbers = new NumberText(true);

  private Sniffer(Path file, CsvOptions options) {
    this.file = file;
    this.options = options;
  }

  static Dialect sniff(Path file, CsvOptions options) throws IOException {
    return new Sniffer(file, options).dialect();
  }

  private Dialect dialect() throws IOException {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(BYTES);
    }
    whole = bytes.length < BYTES;
    Charset charset = charset(bytes);
    String text = text(bytes, charset);
    if (text.isBlank()) {
      throw new DataException(file + " is empty: expected a column of times and one of numbers");
    }
    preamble = Preamble.of(text);
    comments = areComments(text);
    char separator = separator(text);
    if (isHeader(preamble.lastComment(), text, separator)) {
      preamble = preamble.withoutLast();
      comments = false;
    }
    if (preamble.lines() > 0) {
      remarks.add(
          preamble.lines() == 1
              ? "line 1 is no row: it is left out"
              : "lines 1 to " + preamble.lines() + " are no rows: they are left out");
    }
    List<CsvRecord> records = records(text, separator);
    if (records.get(0).getFieldCount() < 2) {
      throw new DataException(
          ("%s, line %d: '%s' is one field where fields are separated by '%s': expected a column of"
                  + " times and one or more of numbers; give the file's separator")
              .formatted(
                  file, line(records.get(0)), cut(records.get(0).getField(0)), shown(separator)));
    }
    boolean header = options.header() != null ? options.header() : hasHeader(records);
    List<String> names = names(records.get(0), header);
    List<CsvRecord> body = header ? records.subList(1, records.size()) : records;
    if (body.isEmpty()) {
      throw new DataException(file + " has a header and no rows: expected two or more");
    }
    int time = time(names, body);
    int clock = clock(time, names.size(), body);
    boolean comma = decimalComma(separator, time, clock, body);
    List<Integer> values = values(names, time, clock, comma, body);
    return new Dialect(
        charset,
        preamble.lines(),
        comments,
        separator,
        header,
        comma,
        names,
        time,
        clock,
        values,
        unknown,
        options.columns() != null,
        remarks);
  }

  // ---- Characters

  private Charset charset(byte[] bytes) {
    if (starts(bytes, 0xEF, 0xBB, 0xBF)) {
      return StandardCharsets.UTF_8;
    }
    if (starts(bytes, 0xFF, 0xFE)) {
      return StandardCharsets.UTF_16LE;
    }
    if (starts(bytes, 0xFE, 0xFF)) {
      return StandardCharsets.UTF_16BE;
    }
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] == 0) {
        throw new DataException(
            "%s is not text: byte %d is zero; expected a CSV file, not a spreadsheet or an archive"
                .formatted(file, i));
      }
    }
    // A character that is cut off at the end of the sample does not count as an error.
    int length = bytes.length;
    for (int i = 0; i < 3 && bytes.length == BYTES && length > 0 && bytes[length - 1] < 0; i++) {
      length--;
    }
    try {
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .decode(ByteBuffer.wrap(bytes, 0, length));
      return StandardCharsets.UTF_8;
    } catch (CharacterCodingException e) {
      remarks.add("the file is not UTF-8: read as Windows-1252");
      return Charset.forName("windows-1252");
    }
  }

  private static boolean starts(byte[] bytes, int... mark) {
    for (int i = 0; i < mark.length; i++) {
      if (i >= bytes.length || (bytes[i] & 0xff) != mark[i]) {
        return false;
      }
    }
    return true;
  }

  private String text(byte[] bytes, Charset charset) {
    String text = new String(bytes, charset);
    text = text.startsWith("\ufeff") ? text.substring(1) : text;
    if (whole) {
      return text;
    }
    int last = Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r'));
    if (last < 0) {
      throw new DataException(
          "%s: the first line is longer than %d bytes; expected a row of fields"
              .formatted(file, BYTES));
    }
    return text.substring(0, last + 1);
  }

  // ---- Fields

  private List<CsvRecord> records(String text, char separator) {
    List<CsvRecord> records = new ArrayList<>();
    try (CsvReader<CsvRecord> reader =
        SeriesCsv.reader(separator, comments).allowUnclosedQuote(!whole).ofCsvRecord(text)) {
      reader.skipLines(preamble.lines());
      for (CsvRecord record : reader) {
        if (record.getFields().stream().anyMatch(field -> !field.isBlank())) {
          records.add(record);
        }
        if (records.size() == RECORDS) {
          break;
        }
      }
    } catch (CsvParseException e) {
      throw SeriesCsv.malformed(file, e);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // of a text in memory
    } catch (IllegalArgumentException e) {
      throw new DataException(
          file + ": '" + shown(separator) + "' cannot separate fields: choose another character",
          e);
    }
    if (records.isEmpty()) {
      throw new DataException(file + " has no rows: expected a column of times and one of numbers");
    }
    return records;
  }

  /** Whether lines that begin with # are comments; if most do, it is part of their first field. */
  private static boolean areComments(String text) {
    long all = text.lines().count();
    return 2 * text.lines().filter(Preamble::isComment).count() <= all;
  }

  /** Whether a comment names the columns of the first row after it. */
  private boolean isHeader(String comment, String text, char separator) {
    if (comment == null || Boolean.FALSE.equals(options.header())) {
      return false;
    }
    List<String> names = List.of(comment.split(Pattern.quote(String.valueOf(separator)), -1));
    List<String> row = records(text, separator).get(0).getFields();
    return names.size() == row.size()
        && names.size() > 1
        && row.stream().anyMatch(field -> !field.isBlank() && isData(field))
        && names.stream().noneMatch(field -> !field.isBlank() && isData(field));
  }

  /**
   * The separator that the options or the file name, or else that with which most fields are times,
   * numbers or missing.
   */
  private char separator(String text) {
    if (options.separator() != null) {
      return options.separator();
    }
    if (preamble.separator() != null) {
      remarks.add("fields are separated by " + shown(preamble.separator()));
      return preamble.separator();
    }
    char best = SEPARATORS[0];
    double most = -1;
    DataException wrong = null;
    for (char candidate : SEPARATORS) {
      try {
        double score = score(records(text, candidate));
        if (score > most) {
          most = score;
          best = candidate;
        }
      } catch (DataException e) {
        wrong = e;
      }
    }
    if (most <= 0 && wrong != null) {
      throw wrong;
    }
    if (most > 0 && best != ',') {
      remarks.add("fields are separated by " + shown(best));
    }
    return best;
  }

  private double score(List<CsvRecord> records) {
    int width = records.get(records.size() / 2).getFieldCount();
    if (width < 2) {
      return 0;
    }
    int good = 0;
    int all = 0;
    for (CsvRecord record : records.subList(records.size() > 1 ? 1 : 0, records.size())) {
      all += Math.max(width, record.getFieldCount());
      if (record.getFieldCount() == width) {
        good += (int) record.getFields().stream().filter(this::isData).count();
      }
    }
    return 0.01 + (double) good / all;
  }

  private boolean isData(String field) {
    return commaNumbers.read(field) != NumberText.Kind.TEXT
        || pointNumbers.read(field) != NumberText.Kind.TEXT
        || times.read(field);
  }

  // ---- Names

  private boolean hasHeader(List<CsvRecord> records) {
    CsvRecord first = records.get(0);
    if (records.size() == 1) {
      return first.getFields().stream().noneMatch(f -> !f.isBlank() && isData(f));
    }
    for (int c = 0; c < first.getFieldCount(); c++) {
      int data = 0;
      int there = 0;
      for (CsvRecord record : records.subList(1, records.size())) {
        if (c < record.getFieldCount() && !isMissing(record.getField(c))) {
          there++;
          data += isData(record.getField(c)) ? 1 : 0;
        }
      }
      if (2 * data > there && !isData(first.getField(c))) {
        return true;
      }
    }
    return false;
  }

  private List<String> names(CsvRecord first, boolean header) {
    List<String> names = new ArrayList<>();
    Set<String> seen = new HashSet<>();
    int width = first.getFieldCount();
    for (int c = 0; c < width; c++) {
      String name = header ? first.getField(c).strip() : "";
      name = name.isEmpty() ? "column " + (c + 1) : name;
      if (!seen.add(name)) {
        throw new DataException(
            "%s, line %d: columns %d and %d are both named '%s': give them different names"
                .formatted(file, line(first), names.indexOf(name) + 1, c + 1, name));
      }
      names.add(name);
    }
    if (!header) {
      remarks.add("the file has no header: columns are named 'column 1' to 'column " + width + "'");
    }
    return names;
  }

  // ---- Times

  private int time(List<String> names, List<CsvRecord> body) {
    if (options.time() != null) {
      return index(options.time(), names);
    }
    for (int pass = 0;
        pass < 2;
        pass++) { // columns that can only be times come before those that may be
      for (int c = 0; c < names.size(); c++) {
        if (pass == 0 ? isTime(c, body) : isRisingTime(c, body)) {
          return c;
        }
      }
    }
    CsvRecord record = body.get(0);
    throw new DataException(
        ("%s has no column of times: line %d is %s; expected one such as 2016-07-01 04:00:00; or name"
                + " the column that holds them")
            .formatted(file, line(record), cut(record.getFields().toString())));
  }

  private int index(String name, List<String> names) {
    int index = names.indexOf(name);
    if (index < 0) {
      throw new DataException(
          "%s has no column '%s': it has %s%s"
              .formatted(file, name, names, Nearest.hint(name, names)));
    }
    return index;
  }

  private boolean isTime(int column, List<CsvRecord> body) {
    int there = 0;
    int good = 0;
    for (CsvRecord record : body) {
      if (column < record.getFieldCount() && !isMissing(record.getField(column))) {
        there++;
        if (times.read(record.getField(column))
            && !times.kind().isNumber()
            && times.kind() != TimeText.Kind.CLOCK) {
          good++;
        }
      }
    }
    return 2 * good > there && 2 * there > body.size();
  }

  private boolean isRisingTime(int column, List<CsvRecord> body) {
    long before = 0;
    int direction = 0;
    TimeText.Kind kind = null;
    for (CsvRecord record : body) {
      if (column >= record.getFieldCount() || !times.read(record.getField(column))) {
        return false;
      }
      if (kind == null) {
        kind = times.kind();
      } else {
        int step = Long.compare(times.micros(), before);
        direction = direction == 0 ? step : direction;
        if (times.kind() != kind || step == 0 || step != direction) {
          return false;
        }
      }
      before = times.micros();
    }
    return kind != null && kind.isNumber();
  }

  /** The column of times of day beside one of dates; -1 for none. */
  private int clock(int time, int width, List<CsvRecord> body) {
    for (CsvRecord record : body) {
      if (time < record.getFieldCount()
          && times.read(record.getField(time))
          && times.kind() != TimeText.Kind.DATE) {
        return -1;
      }
    }
    for (int c : new int[] {time + 1, time - 1}) {
      boolean clocks = c >= 0 && c < width;
      for (CsvRecord record : body) {
        clocks =
            clocks
                && c < record.getFieldCount()
                && times.read(record.getField(c))
                && times.kind() == TimeText.Kind.CLOCK;
      }
      if (clocks) {
        return c;
      }
    }
    return -1;
  }

  // ---- Numbers

  private boolean decimalComma(char separator, int time, int clock, List<CsvRecord> body) {
    if (options.decimalComma() != null) {
      return options.decimalComma();
    }
    int commas = 0;
    int points = 0;
    String open = null;
    for (CsvRecord record : body) {
      for (int c = 0; c < record.getFieldCount(); c++) {
        String field = record.getField(c).strip();
        if (c == time || c == clock) {
          continue;
        }
        commas += DECIMAL_COMMA.matcher(field).matches() ? 1 : 0;
        points += DECIMAL_POINT.matcher(field).matches() ? 1 : 0;
        open = open == null && OPEN_COMMA.matcher(field).matches() ? field : open;
      }
    }
    if (commas == 0 && points == 0) {
      for (char sign : new char[] {'.', ','}) {
        Optional<String> group = new ThousandsSign(sign, time, clock).find(body);
        if (group.isPresent()) {
          remarks.add(
              "the %s in %s separates thousands: other values of its column are whole numbers"
                  .formatted(sign == '.' ? "point" : "comma", group.get()));
          return sign == '.';
        }
      }
    }
    boolean guess = commas == 0 && points == 0 && open != null && separator != ',';
    if (guess) {
      remarks.add(
          "the comma in " + open + " is read as a decimal sign, not as a thousands separator");
    } else if (commas > points) {
      remarks.add("numbers have a decimal comma");
    }
    return guess || commas > points;
  }

  private List<Integer> values(
      List<String> names, int time, int clock, boolean comma, List<CsvRecord> body) {
    List<Integer> values = new ArrayList<>();
    if (options.columns() != null) {
      for (String name : options.columns()) {
        int column = index(name, names);
        if (column == time || values.contains(column)) {
          throw new DataException(
              "%s: column '%s' %s: name each variable once"
                  .formatted(file, name, column == time ? "holds the times" : "is named twice"));
        }
        values.add(column);
      }
      if (values.isEmpty()) {
        throw new DataException(file + ": the list of columns is empty: name one or more");
      }
      return values;
    }
    NumberText numbers = comma ? commaNumbers : pointNumbers;
    for (int c = 0; c < names.size(); c++) {
      if (c == time || c == clock) {
        continue;
      }
      int there = 0;
      int good = 0;
      String text = null;
      for (CsvRecord record : body) {
        if (c >= record.getFieldCount()) {
          continue;
        }
        NumberText.Kind kind = numbers.read(record.getField(c));
        there += kind == NumberText.Kind.MISSING ? 0 : 1;
        good += kind == NumberText.Kind.NUMBER ? 1 : 0;
        text = text == null && kind == NumberText.Kind.TEXT ? record.getField(c) : text;
      }
      if (there > 0 && 2 * good <= there) {
        remarks.add(
            "column '%s' is left out: it holds text such as '%s'"
                .formatted(names.get(c), cut(text)));
      } else {
        values.add(c);
        if (there == 0) {
          unknown.add(c);
        }
      }
    }
    if (values.isEmpty()) {
      throw new DataException(
          "%s has no column of numbers: its columns are %s and '%s' holds the times"
              .formatted(file, names, names.get(time)));
    }
    return values;
  }

  private boolean isMissing(String field) {
    return pointNumbers.read(field) == NumberText.Kind.MISSING;
  }

  private static long line(CsvRecord record) {
    return record.getStartingLineNumber();
  }

  /** The beginning of a text that may be long. */
  static String cut(String text) {
    String line = text == null ? "" : text.replaceAll("\\s+", " ");
    return line.length() <= 80 ? line : line.substring(0, 77) + "...";
  }

  static String shown(char separator) {
    return switch (separator) {
      case '\t' -> "tab";
      case ',' -> "comma";
      case ';' -> "semicolon";
      default -> String.valueOf(separator);
    };
  }
}
