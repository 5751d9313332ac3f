package dev.jformer.data.incontext;

import dev.jformer.config.Checks;

/**
 * Learns parities of any subset by Gaussian elimination modulo 2: each example is a linear equation
 * for which inputs belong to the subset. Those that are not known yet are taken not to.
 */
public record ParityEliminationLearner() implements Learner {
  /** An equation is a number of 64 bits, one of them for the right-hand side. */
  static final int MOST_INPUTS = 63;

  @Override
  public String name() {
    return "elimination mod 2";
  }

  @Override
  public Run start(int inputs) {
    Checks.between("inputs", inputs, 1, MOST_INPUTS);
    return new Equations(inputs);
  }

  private static final class Equations implements Run {
    /** The equation whose lowest input this is, without the other ones' lowest; 0 for none. */
    private final long[] rows;

    private final boolean[] odd;

    Equations(int inputs) {
      this.rows = new long[inputs];
      this.odd = new boolean[inputs];
    }

    static long bits(double[] x) {
      long bits = 0;
      for (int i = 0; i < x.length; i++) {
        bits |= x[i] < 0 ? 1L << i : 0;
      }
      return bits;
    }

    @Override
    public double predict(double[] x) {
      boolean sum = false;
      long bits = bits(x);
      for (int i = 0; i < rows.length; i++) {
        if (rows[i] != 0 && (bits >> i & 1) == 1) {
          bits ^= rows[i];
          sum ^= odd[i];
        }
      }
      return sum ? -1 : 1;
    }

    @Override
    public void observe(double[] x, double y) {
      long bits = bits(x);
      boolean sum = y < 0;
      for (int i = 0; i < rows.length; i++) {
        if (rows[i] != 0 && (bits >> i & 1) == 1) {
          bits ^= rows[i];
          sum ^= odd[i];
        }
      }
      if (bits == 0) {
        return;
      }
      int pivot = Long.numberOfTrailingZeros(bits);
      for (int i = 0; i < rows.length; i++) {
        if (rows[i] != 0 && (rows[i] >> pivot & 1) == 1) {
          rows[i] ^= bits;
          odd[i] ^= sum;
        }
      }
      rows[pivot] = bits;
      odd[pivot] = sum;
    }
  }
}
