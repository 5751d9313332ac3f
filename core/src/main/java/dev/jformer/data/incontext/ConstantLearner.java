package dev.jformer.data.incontext;

/** A control that ignores inputs: the mean output so far, zero before the first example. */
public record ConstantLearner() implements Learner {
  @Override
  public String name() {
    return "mean output";
  }

  @Override
  public Run start(int inputs) {
    return new Run() {
      private double sum;
      private int count;

      @Override
      public double predict(double[] x) {
        return count == 0 ? 0 : sum / count;
      }

      @Override
      public void observe(double[] x, double y) {
        sum += y;
        count++;
      }
    };
  }
}
