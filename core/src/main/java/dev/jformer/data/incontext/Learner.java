package dev.jformer.data.incontext;

/**
 * A classical solver: it reads the examples of a prompt one by one, and predicts the next output.
 */
public interface Learner {
  /** A short name for tables. */
  String name();

  /**
   * Starts a prompt.
   *
   * @param inputs n, the number of inputs of a function
   * @throws IllegalArgumentException if that is more than this solver can do
   */
  Run start(int inputs);

  /** A solver in the middle of a prompt. */
  interface Run {
    /**
     * Predicts the output of the next example.
     *
     * @param x its inputs [n]
     * @return the expected output; -1 or 1 for Boolean functions
     */
    double predict(double[] x);

    /**
     * The variance of what {@link #predict} said last; NaN if this solver knows none.
     *
     * @param x the inputs that it predicted for
     */
    default double variance(double[] x) {
      return Double.NaN;
    }

    /** Reads the next example. */
    void observe(double[] x, double y);
  }
}
