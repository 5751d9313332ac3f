package dev.jformer.search;

import dev.jformer.config.ConfigException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Numbers that are sought, each between two bounds. A search sees each as a coordinate from 0 to 1.
 *
 * @param dimensions the numbers, with different names
 */
public record SearchSpace(List<Dimension> dimensions) {
  /** Checks the names. */
  public SearchSpace {
    dimensions = List.copyOf(dimensions);
    if (dimensions.isEmpty()) {
      throw new ConfigException("there is nothing to search: expected one dimension or more");
    }
    if (dimensions.stream().map(Dimension::name).distinct().count() < dimensions.size()) {
      throw new ConfigException("two dimensions have the same name: " + dimensions);
    }
  }

  /**
   * A number that is sought.
   *
   * @param name for example {@code learningRate}
   * @param low the lowest value
   * @param high the highest value, above the lowest
   * @param logarithmic whether ratios count, not differences; the lowest value is then above 0
   * @param whole whether values are rounded to whole numbers
   */
  public record Dimension(
      String name, double low, double high, boolean logarithmic, boolean whole) {
    /** Checks the bounds. */
    public Dimension {
      if (!(low < high) || (logarithmic && !(low > 0)) || !Double.isFinite(high - low)) {
        throw new ConfigException(
            name
                + " is sought from "
                + low
                + " to "
                + high
                + ": expected a lower and a higher number"
                + (logarithmic ? " above 0" : ""));
      }
    }

    double value(double coordinate) {
      double at = Math.min(1, Math.max(0, coordinate));
      double value = logarithmic ? low * Math.pow(high / low, at) : low + (high - low) * at;
      return whole ? Math.rint(value) : value;
    }
  }

  /** A space of no numbers yet, for {@link #with}. */
  public static SearchSpace of(Dimension first) {
    return new SearchSpace(List.of(first));
  }

  /** The same with another number, by differences. */
  public SearchSpace with(Dimension next) {
    List<Dimension> all = new ArrayList<>(dimensions);
    all.add(next);
    return new SearchSpace(all);
  }

  /**
   * The values at coordinates, by name.
   *
   * @param point a coordinate from 0 to 1 for each dimension; others are moved to the nearer end
   */
  public Map<String, Double> values(double[] point) {
    Map<String, Double> values = new LinkedHashMap<>();
    for (int i = 0; i < point.length; i++) {
      values.put(dimensions.get(i).name(), dimensions.get(i).value(point[i]));
    }
    return values;
  }
}
