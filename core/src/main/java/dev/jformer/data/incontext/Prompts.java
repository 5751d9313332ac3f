package dev.jformer.data.incontext;

import dev.jformer.config.Checks;
import java.util.Arrays;

/**
 * A batch of prompts, each with examples of one function, in two arrays without a gap.
 *
 * @param count B, the number of prompts
 * @param length T, examples in a prompt
 * @param inputs n, inputs of an example
 * @param x inputs [B, T, n]
 * @param y outputs [B, T]
 */
@SuppressWarnings("ArrayRecordComponent")
public record Prompts(int count, int length, int inputs, float[] x, float[] y) {
  /** Checks the sizes. */
  public Prompts {
    Checks.atLeast("count", count, 1);
    Checks.atLeast("length", length, 1);
    Checks.atLeast("inputs", inputs, 1);
    Checks.check(x.length == count * length * inputs, "x.length", x.length, "B T n numbers");
    Checks.check(y.length == count * length, "y.length", y.length, "B T numbers");
  }

  /** Creates prompts of zeros. */
  public static Prompts of(int count, int length, int inputs) {
    return new Prompts(
        count, length, inputs, new float[count * length * inputs], new float[count * length]);
  }

  /** The place of the first input of an example in {@code x}. */
  public int place(int row, int example) {
    return (row * length + example) * inputs;
  }

  /** A copy of the inputs of an example. */
  public double[] input(int row, int example) {
    double[] copy = new double[inputs];
    int from = place(row, example);
    for (int i = 0; i < inputs; i++) {
      copy[i] = x[from + i];
    }
    return copy;
  }

  /** The output of an example. */
  public double output(int row, int example) {
    return y[row * length + example];
  }

  /** Sets the output of an example. */
  public void setOutput(int row, int example, double value) {
    y[row * length + example] = (float) value;
  }

  /** Sets the inputs of an example. */
  public void setInput(int row, int example, double[] values) {
    int from = place(row, example);
    for (int i = 0; i < inputs; i++) {
      x[from + i] = (float) values[i];
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Prompts prompts
        && count == prompts.count
        && length == prompts.length
        && inputs == prompts.inputs
        && Arrays.equals(x, prompts.x)
        && Arrays.equals(y, prompts.y);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(x) + Arrays.hashCode(y);
  }

  @Override
  public String toString() {
    return count + " prompts of " + length + " examples with " + inputs + " inputs";
  }
}
