package dev.jformer.studies.trial;

import dev.jformer.metrics.RankCorrelation;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;

/**
 * Kendall's rank correlation with its 95 % interval, by drawing the items anew with replacement
 * (bootstrap).
 *
 * @param tau of all items
 * @param low 2.5 % of the draws are below
 * @param high 2.5 % of the draws are above
 */
public record RankAgreement(double tau, double low, double high) {
  private static final int DRAWS = 2000;
  private static final long SEED = 1;

  /** Compares two lists. */
  public static RankAgreement of(double[] a, double[] b) {
    return bootstrap(a.length, i -> RankCorrelation.kendall(chosen(a, i), chosen(b, i)));
  }

  /** Compares two lists with a third held fixed. */
  public static RankAgreement partial(double[] a, double[] b, double[] third) {
    return bootstrap(
        a.length, i -> RankCorrelation.partial(chosen(a, i), chosen(b, i), chosen(third, i)));
  }

  /** By how much one list agrees better than another with a third. */
  public static RankAgreement difference(double[] one, double[] other, double[] third) {
    return bootstrap(
        one.length,
        i ->
            RankCorrelation.kendall(chosen(one, i), chosen(third, i))
                - RankCorrelation.kendall(chosen(other, i), chosen(third, i)));
  }

  private static RankAgreement bootstrap(int count, ToDoubleFunction<int[]> statistic) {
    int[] all = new int[count];
    Arrays.setAll(all, i -> i);
    SplittableRandom random = new SplittableRandom(SEED);
    double[] draws = new double[DRAWS];
    for (int draw = 0; draw < DRAWS; draw++) {
      int[] some = new int[count];
      Arrays.setAll(some, i -> random.nextInt(count));
      draws[draw] = statistic.applyAsDouble(some);
    }
    double[] finite = Arrays.stream(draws).filter(Double::isFinite).sorted().toArray();
    double value = statistic.applyAsDouble(all);
    return finite.length == 0
        ? new RankAgreement(value, Double.NaN, Double.NaN)
        : new RankAgreement(
            value,
            finite[(int) (0.025 * finite.length)],
            finite[(int) (0.975 * (finite.length - 1))]);
  }

  private static double[] chosen(double[] values, int[] indices) {
    return Arrays.stream(indices).mapToDouble(i -> values[i]).toArray();
  }

  /** Half the width of the interval. */
  public double noise() {
    return (high - low) / 2;
  }
}
