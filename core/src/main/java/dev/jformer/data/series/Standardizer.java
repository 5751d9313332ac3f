package dev.jformer.data.series;

import dev.jformer.data.DataException;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * Scales values to mean 0 and deviation 1 by column, and back. It is computed from the training
 * part only and is stored with the trained model.
 *
 * @param names of the C columns
 * @param mean of each column
 * @param deviation of each column, the root of the mean squared distance from the mean; 1 for a
 *     constant column, which becomes 0 everywhere (see {@link Series#constant()})
 */
@SuppressWarnings("ArrayRecordComponent")
public record Standardizer(List<String> names, double[] mean, double[] deviation) {
  /**
   * Copies and checks the values.
   *
   * @throws DataException if their numbers differ, or a deviation is not positive
   */
  public Standardizer {
    names = List.copyOf(names);
    mean = mean.clone();
    deviation = deviation.clone();
    if (names.size() != mean.length || names.size() != deviation.length) {
      throw new DataException(
          "%d columns, %d means and %d deviations: expected equal numbers"
              .formatted(names.size(), mean.length, deviation.length));
    }
    for (int c = 0; c < mean.length; c++) {
      if (!Double.isFinite(mean[c]) || !Double.isFinite(deviation[c]) || !(deviation[c] > 0)) {
        throw new DataException(
            "column '%s' has mean %s and deviation %s: expected finite numbers, the latter positive"
                .formatted(names.get(c), mean[c], deviation[c]));
      }
    }
  }

  /**
   * Computes mean and deviation of all rows of a series.
   *
   * @throws DataException if it has no rows
   */
  public static Standardizer of(Series part) {
    if (part.rows() == 0) {
      throw new DataException(
          "the series has no rows to compute means of: give the training part at least one");
    }
    double[] mean = new double[part.columns()];
    double[] deviation = new double[part.columns()];
    List<String> constant = part.constant();
    for (int c = 0; c < part.columns(); c++) {
      double[] values = part.column(c);
      double sum = 0;
      for (double value : values) {
        sum += value;
      }
      mean[c] = sum / values.length;
      double squares = 0;
      for (double value : values) {
        squares += (value - mean[c]) * (value - mean[c]);
      }
      deviation[c] =
          constant.contains(part.names().get(c)) ? 1 : Math.sqrt(squares / values.length);
    }
    return new Standardizer(part.names(), mean, deviation);
  }

  /** Scales all rows of a series, in float64: float32 [rows, C]. */
  public Tensor apply(Series series) {
    return apply(series.values()).to(DType.FLOAT32);
  }

  /**
   * Scales values: (values - mean) / deviation.
   *
   * @param values [.., C]
   */
  public Tensor apply(Tensor values) {
    return values.sub(row(mean, values)).div(row(deviation, values));
  }

  /**
   * The inverse of {@link #apply}.
   *
   * @param standardised [.., C]
   */
  public Tensor revert(Tensor standardised) {
    return standardised.mul(row(deviation, standardised)).add(row(mean, standardised));
  }

  private Tensor row(double[] numbers, Tensor values) {
    if (values.rank() == 0 || values.size(-1) != numbers.length) {
      throw new DataException(
          "values have the shape %s: expected [.., %d] with the columns %s"
              .formatted(values.shape(), numbers.length, names));
    }
    return Tensor.of(numbers, numbers.length).to(values.dtype()).to(values.device());
  }

  @Override
  public double[] mean() {
    return mean.clone();
  }

  @Override
  public double[] deviation() {
    return deviation.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Standardizer that
        && names.equals(that.names)
        && Arrays.equals(mean, that.mean)
        && Arrays.equals(deviation, that.deviation);
  }

  @Override
  public int hashCode() {
    return 31 * (31 * names.hashCode() + Arrays.hashCode(mean)) + Arrays.hashCode(deviation);
  }
}
