package dev.jformer.studies;

import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.ParetoFront;
import dev.jformer.studies.evidence.Table;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * The results of the arms of an experiment; makes the values of claims, the tables and the figures.
 *
 * @param arms in the order in which they were named
 * @param <R> what one run gave
 */
public record Measured<R>(List<Arm<R>> arms) {
  /**
   * The results of one arm.
   *
   * @param name of the arm
   * @param control whether it is a {@linkplain Arms#control control}
   * @param runs the result of each seed, at least one
   */
  public record Arm<R>(String name, boolean control, List<R> runs) {
    /** The estimate of a value over the seeds. */
    public Estimate of(ToDoubleFunction<? super R> value) {
      return Estimate.ofSeeds(values(value));
    }

    /** The value of each seed. */
    public List<Double> values(ToDoubleFunction<? super R> value) {
      return runs.stream().map(value::applyAsDouble).toList();
    }

    /** The result of the first seed. */
    public R first() {
      return runs.get(0);
    }
  }

  /** Checks that there are arms. */
  public Measured {
    if (arms.isEmpty()) {
      throw new IllegalArgumentException("an experiment has no arms: expected at least one");
    }
    arms = List.copyOf(arms);
  }

  /** Results of single runs by the names of their arms, in the map's order. */
  public static <R> Measured<R> of(Map<String, R> results) {
    List<Arm<R>> arms = new ArrayList<>();
    results.forEach((name, result) -> arms.add(new Arm<>(name, false, List.of(result))));
    return new Measured<>(arms);
  }

  /** An arm for each result, such as the stages of a training. */
  public static <R> Measured<R> named(List<R> results, Function<? super R, String> name) {
    return new Measured<>(
        results.stream().map(r -> new Arm<>(name.apply(r), false, List.of(r))).toList());
  }

  /** Results of several runs by the names of their arms, in the map's order. */
  public static <R> Measured<R> ofRuns(Map<String, List<R>> runs) {
    List<Arm<R>> arms = new ArrayList<>();
    runs.forEach((name, each) -> arms.add(new Arm<>(name, false, List.copyOf(each))));
    return new Measured<>(arms);
  }

  /**
   * Results of arms that every run measured together, such as several compressions of the one model
   * trained with each seed.
   *
   * @param runs at least one, all with the same arms
   * @param arms gives the results of a run by the arm's name
   */
  public static <T, R> Measured<R> within(List<T> runs, Function<T, Map<String, R>> arms) {
    Map<String, List<R>> all = new LinkedHashMap<>();
    arms.apply(runs.get(0))
        .keySet()
        .forEach(name -> all.put(name, runs.stream().map(r -> arms.apply(r).get(name)).toList()));
    return ofRuns(all);
  }

  /** Applies a function to each result; arms stay the same. */
  public <T> Measured<T> map(Function<? super R, T> part) {
    Map<String, List<T>> all = new LinkedHashMap<>();
    arms.forEach(arm -> all.put(arm.name(), arm.runs().stream().map(part).toList()));
    return ofRuns(all);
  }

  /** Returns each part of the first runs as an arm of its own, under the name of its arm. */
  public <T> Measured<T> parts(Function<? super R, List<T>> parts) {
    return new Measured<>(
        arms.stream()
            .flatMap(
                arm ->
                    parts.apply(arm.first()).stream()
                        .map(part -> new Arm<>(arm.name(), arm.control(), List.of(part))))
            .toList());
  }

  /** Returns these arms and those of another experiment. */
  public Measured<R> and(Measured<R> more) {
    List<Arm<R>> all = new ArrayList<>(arms);
    all.addAll(more.arms);
    return new Measured<>(all);
  }

  /** Returns these results without some arms. */
  public Measured<R> without(String... names) {
    return new Measured<>(
        arms.stream().filter(arm -> !List.of(names).contains(arm.name())).toList());
  }

  /** Returns some of the arms, in this order. */
  public Measured<R> only(List<String> names) {
    return new Measured<>(names.stream().map(this::arm).toList());
  }

  /** Returns the arms whose first result satisfies a condition. */
  public Measured<R> where(Predicate<? super R> property) {
    return new Measured<>(arms.stream().filter(arm -> property.test(arm.first())).toList());
  }

  /** Returns the arms whose first results are on the {@link ParetoFront} of some costs. */
  @SafeVarargs
  public final Measured<R> front(ToDoubleFunction<? super R>... costs) {
    List<ToDoubleFunction<? super R>> all = new ArrayList<>();
    for (ToDoubleFunction<? super R> cost : costs) {
      all.add(cost);
    }
    Function<R, double[]> of =
        result -> all.stream().mapToDouble(cost -> cost.applyAsDouble(result)).toArray();
    List<double[]> choices = arms.stream().map(arm -> of.apply(arm.first())).toList();
    return where(result -> ParetoFront.holds(of.apply(result), choices));
  }

  /** Names of the arms. */
  public List<String> names() {
    return arms.stream().map(Arm::name).toList();
  }

  /**
   * The arm of this name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public Arm<R> arm(String name) {
    return arms.stream()
        .filter(arm -> arm.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no arm is called '"
                        + name
                        + "': there are "
                        + arms.stream().map(Arm::name).toList()));
  }

  /** The arm with the lowest mean of a value. */
  public Arm<R> lowest(ToDoubleFunction<? super R> value) {
    return Collections.min(arms, Comparator.comparingDouble(arm -> arm.of(value).value()));
  }

  /** A value of every run of every arm, for example to find the largest. */
  public DoubleStream all(ToDoubleFunction<? super R> value) {
    return arms.stream().flatMap(arm -> arm.runs().stream()).mapToDouble(value);
  }

  /** The largest value of all runs of all arms. */
  public double largest(ToDoubleFunction<? super R> value) {
    return all(value).max().orElseThrow();
  }

  /** The estimate of a value of an arm over its seeds. */
  public Estimate of(String arm, ToDoubleFunction<? super R> value) {
    return arm(arm).of(value);
  }

  /** The result of an arm's first seed. */
  public R first(String arm) {
    return arm(arm).first();
  }

  /** Checks that a value of an arm is below that of another. */
  public Check below(String name, String arm, String other, ToDoubleFunction<? super R> value) {
    return Check.below(name, of(arm, value), of(other, value));
  }

  /** Checks that a value of an arm is above that of another. */
  public Check above(String name, String arm, String other, ToDoubleFunction<? super R> value) {
    return Check.above(name, of(arm, value), of(other, value));
  }

  /** Checks that a value of an arm is at most that of another. */
  public Check atMost(String name, String arm, String other, ToDoubleFunction<? super R> value) {
    return Check.atMost(name, of(arm, value), of(other, value));
  }

  /** Checks that a value of an arm is at least that of another. */
  public Check atLeast(String name, String arm, String other, ToDoubleFunction<? super R> value) {
    return Check.atLeast(name, of(arm, value), of(other, value));
  }

  /** Checks that a value of an arm is at most that of another plus a margin. */
  public Check atMost(
      String name, String arm, String other, ToDoubleFunction<? super R> value, double margin) {
    return Check.atMost(name, of(arm, value), of(other, value).plus(margin));
  }

  /** Checks that a value of an arm is at least that of another less a margin. */
  public Check atLeast(
      String name, String arm, String other, ToDoubleFunction<? super R> value, double margin) {
    return Check.atLeast(name, of(arm, value), of(other, value).plus(-margin));
  }

  /**
   * Checks that the {@link #ratio} of a value of an arm to that of another is at most a bound.
   *
   * @param name of the value; reports say {@code NAME as a multiple of OTHER's}
   */
  public Check ratioAtMost(
      String name, String arm, String other, ToDoubleFunction<? super R> value, double bound) {
    String multiple = name + " as a multiple of " + other + "'s";
    return Check.atMost(multiple, ratio(arm, other, value), bound);
  }

  /**
   * The ratio of a value of one arm to that of another with the same seed, as an estimate over the
   * seeds.
   */
  public Estimate ratio(String arm, String other, ToDoubleFunction<? super R> value) {
    return beside(arm, other, (a, b) -> value.applyAsDouble(a) / value.applyAsDouble(b));
  }

  /**
   * A value computed from the results of two arms with the same seed, as an estimate over the
   * seeds.
   *
   * @param value of the results of {@code arm} and {@code other} with the same seed
   */
  public Estimate beside(String arm, String other, BiFunction<? super R, ? super R, Double> value) {
    List<R> theirs = arm(other).runs();
    List<Double> values = new ArrayList<>();
    for (R run : arm(arm).runs()) {
      values.add(value.apply(run, theirs.get(values.size())));
    }
    return Estimate.ofSeeds(values);
  }

  /**
   * A table with a row for each arm.
   *
   * @param arm title of the first column, which contains the names of the arms
   */
  @SafeVarargs
  public final Table table(String title, String arm, Column<? super R>... columns) {
    List<Column<? super R>> all = new ArrayList<>();
    for (Column<? super R> column : columns) {
      all.add(column);
    }
    return table(title, arm, all);
  }

  /** As above, with a list of columns. */
  public Table table(String title, String arm, List<? extends Column<? super R>> columns) {
    List<String> titles = new ArrayList<>(List.of(arm));
    for (Column<? super R> column : columns) {
      titles.add(column.title());
    }
    List<List<String>> rows = new ArrayList<>();
    for (Arm<R> each : arms) {
      List<String> row = new ArrayList<>(List.of(each.name()));
      for (Column<? super R> column : columns) {
        row.add(cell(column, each));
      }
      rows.add(row);
    }
    return new Table(title, titles, rows);
  }

  private static <T, R extends T> String cell(Column<T> column, Arm<R> arm) {
    return column.cell().apply(new Arm<>(arm.name(), arm.control(), List.copyOf(arm.runs())));
  }

  /**
   * A table with columns for each arm and a row for each element of a list in the results, such as
   * the sizes that were measured.
   *
   * @param rows labels of the rows, printed in the first column
   * @param columns the cells of one arm in one row, side by side
   */
  @SafeVarargs
  public final Table crossTable(
      String title, String row, List<?> rows, Cell<? super R>... columns) {
    List<String> titles = new ArrayList<>(List.of(row));
    for (Arm<R> arm : arms) {
      for (Cell<? super R> column : columns) {
        titles.add(arm.name() + " (" + column.unit() + ")");
      }
    }
    List<List<String>> cells = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      List<Object> values = new ArrayList<>(List.of(rows.get(i)));
      for (Arm<R> arm : arms) {
        for (Cell<? super R> column : columns) {
          values.add(column.value().at(arm.first(), i));
        }
      }
      cells.add(Table.row(values.toArray()));
    }
    return new Table(title, titles, cells);
  }

  /**
   * A column of a {@link #crossTable}, repeated for each arm.
   *
   * @param unit of the values
   * @param value of a result in a row, counted from 0
   */
  public record Cell<R>(String unit, Value<R> value) {
    /** A value of a result in a row. */
    public interface Value<R> {
      /** Returns the value. */
      double at(R result, int row);
    }
  }

  /** A figure with a curve for each arm, of its first seed, on linear axes. */
  public Figure figure(String title, String x, String y, Curve<? super R> curve) {
    return Figure.of(title, x, y, curves(curve));
  }

  /**
   * A line with a point for each arm, such as the accuracy of models against their size: the means
   * over the seeds of two values. Arms are left out of which one is not finite.
   */
  public Figure.Series line(
      String name, ToDoubleFunction<? super R> x, ToDoubleFunction<? super R> y) {
    return Figure.Series.line(name, arms, arm -> arm.of(x).value(), arm -> arm.of(y).value());
  }

  /**
   * A line for each arm through values that a result has at positions shared by all results: the
   * means over the seeds.
   */
  public List<Figure.Series> means(
      List<? extends Number> positions, Function<? super R, List<Double>> values) {
    return arms.stream()
        .map(
            arm ->
                Figure.Series.line(
                    arm.name(),
                    positions,
                    IntStream.range(0, positions.size())
                        .mapToObj(i -> arm.of(run -> values.apply(run).get(i)).value())
                        .toList()))
        .toList();
  }

  /** As {@link #figure}, on logarithmic axes. */
  public Figure logFigure(String title, String x, String y, Curve<? super R> curve) {
    return new Figure(title, x, y, true, true, curves(curve));
  }

  private List<Figure.Series> curves(Curve<? super R> curve) {
    return arms.stream().map(arm -> curve.of(arm.first(), arm.name())).toList();
  }

  /** The curve of a result. */
  public interface Curve<R> {
    /** Returns the curve of a result under a name. */
    Figure.Series of(R result, String name);

    /**
     * A line through points; those are left out of which a value is not finite.
     *
     * @param points of a result
     */
    static <R, P> Curve<R> line(
        Function<R, List<P>> points, ToDoubleFunction<P> x, ToDoubleFunction<P> y) {
      return (result, name) -> Figure.Series.line(name, points.apply(result), x, y);
    }

    /** A line through the values that a result has at positions shared by all results. */
    static <R> Curve<R> at(List<? extends Number> positions, Function<R, List<Double>> values) {
      List<Double> x = positions.stream().map(Number::doubleValue).toList();
      return (result, name) -> Figure.Series.line(name, x, values.apply(result));
    }
  }

  /** The estimate of a value by the arm's name. */
  public Map<String, Estimate> values(ToDoubleFunction<? super R> value) {
    Map<String, Estimate> all = new LinkedHashMap<>();
    arms.forEach(arm -> all.put(arm.name(), arm.of(value)));
    return all;
  }
}
