package dev.jformer.data.incontext;

/** Negates inputs and outputs, which turns "and" into "or". */
final class Negation {
  private Negation() {}

  static void apply(Prompts prompts, int row) {
    int from = prompts.place(row, 0);
    for (int i = from; i < from + prompts.length() * prompts.inputs(); i++) {
      prompts.x()[i] = -prompts.x()[i];
    }
    for (int t = 0; t < prompts.length(); t++) {
      prompts.setOutput(row, t, -prompts.output(row, t));
    }
  }

  static double[] of(double[] x) {
    double[] negated = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      negated[i] = -x[i];
    }
    return negated;
  }
}
