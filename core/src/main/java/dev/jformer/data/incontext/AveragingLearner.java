package dev.jformer.data.incontext;

/** The linear function with weights (1/t) Σ y x, one step of gradient descent from zero. */
public record AveragingLearner() implements Learner {
  @Override
  public String name() {
    return "averaging";
  }

  @Override
  public Run start(int inputs) {
    double[] sum = new double[inputs];
    return new Run() {
      private int count;

      @Override
      public double predict(double[] x) {
        return count == 0 ? 0 : Draws.dot(sum, x) / count;
      }

      @Override
      public void observe(double[] x, double y) {
        count++;
        for (int i = 0; i < sum.length; i++) {
          sum[i] += y * x[i];
        }
      }
    };
  }
}
