package dev.jformer.data.incontext;

/**
 * Ordinary least squares; with fewer examples than inputs the solution of smallest norm. It is
 * brought up to date with each example by Greville's recursion (<a
 * href="https://doi.org/10.1137/1002004">Some Applications of the Pseudoinverse of a Matrix</a>):
 * O(n²) an example.
 */
public record LeastSquaresLearner() implements Learner {
  /** What is left of an input in directions not seen before counts as nothing below this share. */
  private static final double INDEPENDENT = 1e-9;

  @Override
  public String name() {
    return "least squares";
  }

  @Override
  public Run start(int inputs) {
    return new Fit(inputs);
  }

  private static final class Fit implements Run {
    private final double[] w;

    /** Projects on the directions that no example has had. */
    private final double[][] unseen;

    /** The pseudoinverse of Σ x xᵀ. */
    private final double[][] inverse;

    Fit(int n) {
      this.w = new double[n];
      this.unseen = Matrices.identity(n, 1);
      this.inverse = new double[n][n];
    }

    @Override
    public double predict(double[] x) {
      return Draws.dot(w, x);
    }

    @Override
    public void observe(double[] x, double y) {
      double error = y - predict(x);
      double[] fresh = Matrices.times(unseen, x);
      double[] known = Matrices.times(inverse, x);
      double rest = Draws.dot(fresh, fresh);
      double[] gain = new double[w.length];
      if (rest > INDEPENDENT * Draws.dot(x, x)) {
        double all = 1 + Draws.dot(x, known);
        for (int i = 0; i < gain.length; i++) {
          gain[i] = fresh[i] / rest;
        }
        // (I - g xᵀ) Q (I - x gᵀ) + g gᵀ
        for (int i = 0; i < gain.length; i++) {
          for (int j = 0; j < gain.length; j++) {
            inverse[i][j] += all * gain[i] * gain[j] - gain[i] * known[j] - known[i] * gain[j];
            unseen[i][j] -= fresh[i] * fresh[j] / rest;
          }
        }
      } else {
        double all = 1 + Draws.dot(x, known);
        for (int i = 0; i < gain.length; i++) {
          gain[i] = known[i] / all;
        }
        for (int i = 0; i < gain.length; i++) {
          for (int j = 0; j < gain.length; j++) {
            inverse[i][j] -= known[i] * known[j] / all;
          }
        }
      }
      for (int i = 0; i < gain.length; i++) {
        w[i] += gain[i] * error;
      }
    }
  }
}
