package dev.jformer.data.series.csv;

import java.nio.charset.Charset;
import java.util.List;
import java.util.Set;

/**
 * How a file is written, and what its columns are.
 *
 * @param charset how its letters are stored
 * @param separator what stands between fields
 * @param header whether the first record holds names
 * @param decimalComma whether numbers are written as in 3,14
 * @param names of all columns
 * @param time which column holds times
 * @param clock which column holds the clock that belongs to the dates in {@code time}; -1 for none
 * @param values which columns hold the variables, in the order that they are wanted
 * @param unknown which of these had no value yet where the file begins, so may turn out to be text
 * @param asked whether the variables were named, so that one without any value is an error
 * @param remarks what was found out
 */
record Dialect(
    Charset charset,
    char separator,
    boolean header,
    boolean decimalComma,
    List<String> names,
    int time,
    int clock,
    List<Integer> values,
    Set<Integer> unknown,
    boolean asked,
    List<String> remarks) {}
