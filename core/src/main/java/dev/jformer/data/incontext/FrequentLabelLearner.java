package dev.jformer.data.incontext;

/** A control that ignores inputs: the more frequent label so far, 1 where both are as frequent. */
public record FrequentLabelLearner() implements Learner {
  @Override
  public String name() {
    return "frequent label";
  }

  @Override
  public Run start(int inputs) {
    return new Run() {
      private double sum;

      @Override
      public double predict(double[] x) {
        return sum < 0 ? -1 : 1;
      }

      @Override
      public void observe(double[] x, double y) {
        sum += y;
      }
    };
  }
}
