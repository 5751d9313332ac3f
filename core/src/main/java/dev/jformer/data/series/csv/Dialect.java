package dev.jformer.data.series.csv;

import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The format of a CSV file and the meaning of its columns.
 *
 * @param charset the character encoding
 * @param skipped number of lines before the header or the first row
 * @param comments whether lines that begin with # are comments
 * @param separator the character between fields
 * @param header whether the first record holds names
 * @param decimalComma whether numbers are written as in 3,14
 * @param names of all columns
 * @param time the column that holds times
 * @param clock the column that holds the time of day for the dates in {@code time}; -1 for none
 * @param values the columns that hold the variables, in the wanted order
 * @param unknown those of them without a value in the beginning of the file, which may turn out to
 *     be text
 * @param asked whether the variables were named in the options, so that one without any value is an
 *     error
 * @param remarks what was detected
 */
record Dialect(
    Charset charset,
    int skipped,
    boolean comments,
    char separator,
    boolean header,
    boolean decimalComma,
    List<String> names,
    int time,
    int clock,
    List<Integer> values,
    Set<Integer> unknown,
    boolean asked,
    List<String> remarks) {
  /** This dialect with the other decimal sign, and a remark of its own. */
  Dialect withOtherDecimalSign(String remark) {
    List<String> more = new ArrayList<>(remarks);
    more.add(remark);
    return new Dialect(
        charset,
        skipped,
        comments,
        separator,
        header,
        !decimalComma,
        names,
        time,
        clock,
        values,
        unknown,
        asked,
        more);
  }
}
