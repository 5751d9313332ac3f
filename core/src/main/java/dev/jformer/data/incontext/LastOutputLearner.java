package dev.jformer.data.incontext;

/** A control that ignores inputs: the last output, zero before the first example. */
public record LastOutputLearner() implements Learner {
  @Override
  public String name() {
    return "last output";
  }

  @Override
  public Run start(int inputs) {
    return new Run() {
      private double last;

      @Override
      public double predict(double[] x) {
        return last;
      }

      @Override
      public void observe(double[] x, double y) {
        last = y;
      }
    };
  }
}
