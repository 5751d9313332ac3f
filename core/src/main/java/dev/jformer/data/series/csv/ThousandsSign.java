package dev.jformer.data.series.csv;

import de.siegmar.fastcsv.reader.CsvRecord;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Tells a thousands separator from a decimal sign: in a column whose values have either no sign and
 * up to three digits, or the sign with three digits after it, as 900 and 1.000, the sign separates
 * thousands. A decimal sign would leave one or two digits after it now and then.
 *
 * @param sign a point or a comma
 * @param time the column of times
 * @param clock the column of times of day; -1 for none
 */
record ThousandsSign(char sign, int time, int clock) {
  private static final Pattern SMALL = Pattern.compile("[+-]?\\d{1,3}");
  private static final Pattern WHOLE = Pattern.compile("[+-]?\\d+");

  /** The first value with the sign in such a column; empty if there is no such column. */
  Optional<String> find(List<CsvRecord> body) {
    int width = body.stream().mapToInt(CsvRecord::getFieldCount).max().orElse(0);
    for (int c = 0; c < width; c++) {
      String group = c == time || c == clock ? null : inColumn(c, body);
      if (group != null) {
        return Optional.of(group);
      }
    }
    return Optional.empty();
  }

  private String inColumn(int column, List<CsvRecord> body) {
    Pattern grouped = Pattern.compile("[+-]?[1-9]\\d{0,2}(\\%c\\d{3})+".formatted(sign));
    String first = null;
    boolean small = false;
    for (CsvRecord record : body) {
      String field = column < record.getFieldCount() ? record.getField(column).strip() : "";
      if (grouped.matcher(field).matches()) {
        first = first == null ? field : first;
      } else if (SMALL.matcher(field).matches()) {
        small = true;
      } else if (WHOLE.matcher(field).matches()) {
        return null; // 1000 and 1.000 in one column
      }
    }
    return small ? first : null;
  }
}
