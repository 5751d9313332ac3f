package dev.jformer.data.incontext;

import dev.jformer.config.Checks;
import java.util.Arrays;

/**
 * The best predictor of products of k inputs: the vote of all subsets of that size which fit the
 * examples so far.
 *
 * @param relevant k
 */
public record SubsetParityLearner(int relevant) implements Learner {
  /** More subsets than this are refused. */
  public static final long MOST_SUBSETS = 200_000;

  /** Checks the values. */
  public SubsetParityLearner {
    Checks.between("relevant", relevant, 1, ParityEliminationLearner.MOST_INPUTS);
  }

  @Override
  public String name() {
    return "all subsets";
  }

  /** The number of subsets, or a number above {@link #MOST_SUBSETS}. */
  static long count(int inputs, int relevant) {
    long count = 1;
    int least = Math.min(relevant, inputs - relevant);
    for (int i = 0; i < least; i++) {
      count = count * (inputs - i) / (i + 1);
      if (count > MOST_SUBSETS) {
        return count;
      }
    }
    return count;
  }

  @Override
  public Run start(int inputs) {
    Checks.between("inputs", inputs, relevant, ParityEliminationLearner.MOST_INPUTS);
    if (count(inputs, relevant) > MOST_SUBSETS) {
      throw new IllegalArgumentException(
          "there are more than "
              + MOST_SUBSETS
              + " subsets of "
              + relevant
              + " of "
              + inputs
              + " inputs: expected fewer; use elimination mod 2");
    }
    return new Votes(inputs, relevant);
  }

  private static final class Votes implements Run {
    private long[] subsets;

    Votes(int inputs, int relevant) {
      this.subsets = new long[(int) count(inputs, relevant)];
      long subset = (1L << relevant) - 1;
      for (int i = 0; i < subsets.length; i++) {
        subsets[i] = subset;
        // The next larger number with as many ones.
        long lowest = subset & -subset;
        long ripple = subset + lowest;
        subset = ripple | ((subset ^ ripple) >>> 2) / lowest;
      }
    }

    private static double product(long subset, double[] x) {
      double product = 1;
      for (long rest = subset; rest != 0; rest &= rest - 1) {
        product *= x[Long.numberOfTrailingZeros(rest)];
      }
      return product;
    }

    @Override
    public double predict(double[] x) {
      double sum = 0;
      for (long subset : subsets) {
        sum += product(subset, x);
      }
      return sum < 0 ? -1 : 1;
    }

    @Override
    public void observe(double[] x, double y) {
      subsets = Arrays.stream(subsets).filter(subset -> product(subset, x) == y).toArray();
    }
  }
}
