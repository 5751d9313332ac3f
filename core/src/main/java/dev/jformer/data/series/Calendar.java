package dev.jformer.data.series;

import dev.jformer.tensor.Tensor;
import java.time.LocalDateTime;
import java.time.temporal.IsoFields;
import java.util.List;

/**
 * Calendar features of a time, each scaled to [-0.5, 0.5], as the embedding of Informer (<a
 * href="https://arxiv.org/abs/2012.07436">Informer: Beyond Efficient Transformer for Long Sequence
 * Time-Series Forecasting</a>) takes them.
 *
 * <p>The features depend on the frequency, coarsest last: second of the minute, minute of the hour,
 * hour of the day for frequencies finer than these; day of the week, of the month and of the year
 * for days and anything finer; day of the month and week of the year for weeks; month of the year
 * for months, quarters and years (constant for the last, so that there is always a feature).
 */
public final class Calendar {
  /** A feature of a time. */
  private enum Feature {
    SECOND,
    MINUTE,
    HOUR,
    WEEK_DAY,
    MONTH_DAY,
    YEAR_DAY,
    WEEK,
    MONTH;

    /** The feature's value, from 0 to 1. */
    double share(LocalDateTime time) {
      return switch (this) {
        case SECOND -> time.getSecond() / 59.0;
        case MINUTE -> time.getMinute() / 59.0;
        case HOUR -> time.getHour() / 23.0;
        case WEEK_DAY -> (time.getDayOfWeek().getValue() - 1) / 6.0;
        case MONTH_DAY -> (time.getDayOfMonth() - 1) / 30.0;
        case YEAR_DAY -> (time.getDayOfYear() - 1) / 365.0;
        case WEEK -> (time.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR) - 1) / 52.0;
        case MONTH -> (time.getMonthValue() - 1) / 11.0;
      };
    }
  }

  private Calendar() {}

  private static List<Feature> of(Frequency frequency) {
    return switch (frequency.unit()) {
      case MILLISECOND, SECOND ->
          List.of(
              Feature.SECOND,
              Feature.MINUTE,
              Feature.HOUR,
              Feature.WEEK_DAY,
              Feature.MONTH_DAY,
              Feature.YEAR_DAY);
      case MINUTE ->
          List.of(
              Feature.MINUTE, Feature.HOUR, Feature.WEEK_DAY, Feature.MONTH_DAY, Feature.YEAR_DAY);
      case HOUR -> List.of(Feature.HOUR, Feature.WEEK_DAY, Feature.MONTH_DAY, Feature.YEAR_DAY);
      case DAY, BUSINESS_DAY -> List.of(Feature.WEEK_DAY, Feature.MONTH_DAY, Feature.YEAR_DAY);
      case WEEK -> List.of(Feature.MONTH_DAY, Feature.WEEK);
      case MONTH, MONTH_END, QUARTER, YEAR -> List.of(Feature.MONTH);
    };
  }

  /** Number of features of a time of this frequency, at least one. */
  public static int features(Frequency frequency) {
    return of(frequency).size();
  }

  /**
   * The features of rows {@code from} to before {@code to}: float32 [to - from, features]. Times of
   * rows before the first and after the last follow from the frequency.
   */
  public static Tensor of(Series series, int from, int to) {
    List<Feature> features = of(series.frequency());
    float[] values = new float[Math.multiplyExact(to - from, features.size())];
    int at = 0;
    for (int row = from; row < to; row++) {
      LocalDateTime time = series.time(row);
      for (Feature feature : features) {
        values[at++] = (float) (feature.share(time) - 0.5);
      }
    }
    return Tensor.of(values, to - from, features.size());
  }
}
