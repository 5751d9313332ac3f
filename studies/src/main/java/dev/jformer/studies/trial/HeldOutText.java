package dev.jformer.studies.trial;

import dev.jformer.data.text.Batch;
import dev.jformer.data.text.HeldOut;
import dev.jformer.data.text.TokenFile;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** Held-out text, and means over its tokens in float64 with no gradients recorded. */
public final class HeldOutText {
  private HeldOutText() {}

  /** The first held-out sequences as batches; the parameters are those of {@link #mean}. */
  public static List<Batch> batches(TokenFile text, int rows, int length, long limit) {
    List<Batch> batches = new ArrayList<>();
    HeldOut.read(text, rows, length, limit, batches::add);
    return batches;
  }

  /**
   * The mean of a value that each target has.
   *
   * @param rows the most sequences in a batch
   * @param length the most tokens in a sequence
   * @param limit the most batches
   * @param value of a batch, one number for each target
   */
  public static double mean(
      TokenFile text, int rows, int length, long limit, Function<Batch, Tensor> value) {
    double[] sum = new double[2];
    HeldOut.read(
        text,
        rows,
        length,
        limit,
        batch -> {
          try (Scope scope = Scope.open();
              Mode mode = Autograd.noGrad()) {
            sum[0] += value.apply(batch).to(DType.FLOAT64).sum().item();
            sum[1] += batch.targets().elements();
          }
        });
    return sum[0] / sum[1];
  }

  /**
   * The entropy of the frequencies of held-out bytes, in nats: the loss of a model that knows
   * nothing else. The first byte does not count, since it is no target.
   */
  public static double frequencies(TokenFile text) {
    double[] counts = new double[256];
    try (Scope scope = Scope.open()) {
      Arrays.stream(text.validation().to(DType.INT64).toLongs())
          .skip(1)
          .forEach(id -> counts[(int) id]++);
    }
    double n = Arrays.stream(counts).sum();
    return Arrays.stream(counts).filter(c -> c > 0).map(c -> -c / n * Math.log(c / n)).sum();
  }

  /**
   * The mean cross-entropy in nats of some predictions; the other parameters are those of {@link
   * #mean}.
   *
   * @param logProbabilities [B, T, V] of the tokens that follow ids [B, T]
   */
  public static double loss(
      TokenFile text, int rows, int length, long limit, UnaryOperator<Tensor> logProbabilities) {
    return -mean(
        text,
        rows,
        length,
        limit,
        batch -> logProbabilities.apply(batch.inputs()).gather(2, batch.targets().unsqueeze(2)));
  }
}
