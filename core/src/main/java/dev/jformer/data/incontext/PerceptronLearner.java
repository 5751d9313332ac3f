package dev.jformer.data.incontext;

/**
 * The perceptron (<a href="https://doi.org/10.1037/h0042519">The Perceptron: A Probabilistic Model
 * for Information Storage and Organization in the Brain</a>) with a constant input. After each
 * example it goes through all of them again until none is wrong, at most 100 times.
 */
public record PerceptronLearner() implements Learner {
  private static final int MOST_ROUNDS = 100;

  @Override
  public String name() {
    return "perceptron";
  }

  @Override
  public Run start(int inputs) {
    double[] w = new double[inputs];
    return new RememberingRun() {
      private double constant;

      @Override
      public double predict(double[] x) {
        return Draws.dot(w, x) + constant < 0 ? -1 : 1;
      }

      @Override
      public void observe(double[] x, double y) {
        super.observe(x, y);
        boolean wrong = true;
        for (int round = 0; round < MOST_ROUNDS && wrong; round++) {
          wrong = false;
          for (int t = 0; t < count(); t++) {
            if (predict(input(t)) != output(t)) {
              wrong = true;
              constant += output(t);
              for (int i = 0; i < w.length; i++) {
                w[i] += output(t) * input(t)[i];
              }
            }
          }
        }
      }
    };
  }
}
