package dev.jformer.studies;

import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * A column of a table with a row for each arm.
 *
 * @param title with the unit
 * @param cell what is printed of an arm's results
 * @param <R> what one run gave
 */
public record Column<R>(String title, Function<Measured.Arm<R>, String> cell) {
  /** The mean over the seeds ± their standard deviation; without unit. */
  public static <R> Column<R> column(String title, ToDoubleFunction<? super R> value) {
    return computed(title, arm -> arm.of(value));
  }

  /** The mean over the seeds ± their standard deviation. */
  public static <R> Column<R> column(String title, String unit, ToDoubleFunction<? super R> value) {
    return column(title + " (" + unit + ")", value);
  }

  /** A value computed from all results of an arm. */
  public static <R> Column<R> computed(String title, Function<Measured.Arm<R>, Estimate> value) {
    return new Column<>(title, arm -> value.apply(arm).text());
  }

  /** What is the same for all seeds, such as the number of weights; the first seed's is printed. */
  public static <R> Column<R> fixed(String title, Function<? super R, ?> value) {
    return new Column<>(title, arm -> text(value.apply(arm.first())));
  }

  /** What an arm's name alone says, such as a number that follows from its settings. */
  public static <R> Column<R> named(String title, Function<String, ?> value) {
    return new Column<>(title, arm -> text(value.apply(arm.name())));
  }

  /** The value of each seed, one beside the other. */
  public static <R> Column<R> eachSeed(String title, ToDoubleFunction<? super R> value) {
    return new Column<>(
        title,
        arm -> arm.values(value).stream().map(Check::number).collect(Collectors.joining(", ")));
  }

  private static String text(Object value) {
    return value instanceof Double number ? Check.number(number) : String.valueOf(value);
  }
}
