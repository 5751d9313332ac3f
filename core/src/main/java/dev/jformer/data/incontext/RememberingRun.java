package dev.jformer.data.incontext;

import java.util.ArrayList;
import java.util.List;

/** A solver's run that stores the examples. */
abstract class RememberingRun implements Learner.Run {
  private final List<double[]> inputs = new ArrayList<>();
  private final List<Double> outputs = new ArrayList<>();

  @Override
  public void observe(double[] x, double y) {
    inputs.add(x.clone());
    outputs.add(y);
  }

  final int count() {
    return inputs.size();
  }

  final double[] input(int example) {
    return inputs.get(example);
  }

  final double output(int example) {
    return outputs.get(example);
  }
}
