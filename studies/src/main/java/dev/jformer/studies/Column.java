package dev.jformer.studies;

import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A column of a table with a row for each arm.
 *
 * @param title of the column, with the unit
 * @param cell the text of a cell, from the results of an arm
 * @param <R> the result of one run
 */
public record Column<R>(String title, Function<Measured.Arm<R>, String> cell) {
  /** A column with mean ± standard deviation over the seeds, without unit. */
  public static <R> Column<R> column(String title, ToDoubleFunction<? super R> value) {
    return computed(title, arm -> arm.of(value));
  }

  /** A column with mean ± standard deviation over the seeds. */
  public static <R> Column<R> column(String title, String unit, ToDoubleFunction<? super R> value) {
    return column(title + " (" + unit + ")", value);
  }

  /** A column with a value computed from all results of an arm. */
  public static <R> Column<R> computed(String title, Function<Measured.Arm<R>, Estimate> value) {
    return new Column<>(title, arm -> value.apply(arm).text());
  }

  /**
   * A column with a value that all seeds share, such as the number of weights; prints the first
   * seed's.
   */
  public static <R> Column<R> fixed(String title, Function<? super R, ?> value) {
    return new Column<>(title, arm -> text(value.apply(arm.first())));
  }

  /**
   * A column with a value computed from the arm's name, such as a number that follows from its
   * settings.
   */
  public static <R> Column<R> named(String title, Function<String, ?> value) {
    return new Column<>(title, arm -> text(value.apply(arm.name())));
  }

  /** A column with the value of each seed, separated by commas. */
  public static <R> Column<R> eachSeed(String title, ToDoubleFunction<? super R> value) {
    return new Column<>(
        title,
        arm -> arm.values(value).stream().map(Check::number).collect(Collectors.joining(", ")));
  }

  /**
   * Columns of values that each run has a list of, as {@link #column(String, ToDoubleFunction)}.
   *
   * @param count how many
   * @param title of each, counted from 1
   */
  public static <R> List<Column<R>> each(
      int count, IntFunction<String> title, Function<? super R, List<Double>> values) {
    return IntStream.range(0, count)
        .mapToObj(i -> Column.<R>column(title.apply(i + 1), run -> values.apply(run).get(i)))
        .toList();
  }

  private static String text(Object value) {
    return value instanceof Double number ? Check.number(number) : String.valueOf(value);
  }
}
