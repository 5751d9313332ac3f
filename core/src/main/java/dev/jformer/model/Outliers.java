package dev.jformer.model;

import dev.jformer.nn.ForwardHook;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The outliers of a model, which make it hard to quantize, measured as in <a
 * href="https://arxiv.org/abs/2306.12929">Quantizable Transformers: Removing Outliers by Helping
 * Attention Heads Do Nothing</a>. The output of the attention half or the feed-forward half of each
 * block is measured, residual stream included, one sequence at a time.
 *
 * @param maxNorm the largest absolute activation in any layer, averaged over the sequences
 * @param kurtosis fourth standardised moment of a layer's activations for a sequence (3 for a
 *     normal distribution), averaged over layers and sequences
 */
public record Outliers(double maxNorm, double kurtosis) {
  private static final String AFTER_ATTENTION = "blocks\\.\\d+\\.mixed";
  private static final String AFTER_FFN = "blocks\\.\\d+\\.output";

  /** Measures the outputs of the attention halves; see {@link Outliers}. */
  public static Outliers afterAttention(CausalLm model, List<Tensor> batches) {
    return measure(model, batches, AFTER_ATTENTION);
  }

  /** Measures the outputs of the feed-forward halves; see {@link Outliers}. */
  public static Outliers afterFfn(CausalLm model, List<Tensor> batches) {
    return measure(model, batches, AFTER_FFN);
  }

  /**
   * Measures a model in inference mode.
   *
   * @param batches ids, int64 [B, T] each
   */
  private static Outliers measure(CausalLm model, List<Tensor> batches, String layers) {
    boolean training = model.isTraining();
    model.train(false);
    List<Double> norms = new ArrayList<>();
    List<Double> kurtoses = new ArrayList<>();
    try (Mode mode = Autograd.noGrad()) {
      for (Tensor ids : batches) {
        try (Scope scope = Scope.open()) {
          double[] largest = new double[(int) ids.size(0)];
          try (ForwardHook probe =
              ForwardHook.on(
                  model,
                  name -> name.matches(layers),
                  seen -> add(seen.output(), largest, kurtoses))) {
            model.hidden(ids);
          }
          for (double value : largest) {
            norms.add(value);
          }
        }
      }
    } finally {
      model.train(training);
    }
    return new Outliers(mean(norms), mean(kurtoses));
  }

  /** Adds the outputs of a layer [B, T, D]: the largest of each sequence, and its kurtosis. */
  private static void add(Tensor output, double[] largest, List<Double> kurtoses) {
    Tensor flat = output.to(DType.FLOAT64).flatten(1, 2);
    double[] norm = flat.abs().max(1, false).toDoubles();
    for (int i = 0; i < norm.length; i++) {
      largest[i] = Math.max(largest[i], norm[i]);
    }
    for (double value : kurtosis(flat).toDoubles()) {
      kurtoses.add(value);
    }
  }

  /** Computes the kurtosis of each row: [N, M] to [N]. */
  static Tensor kurtosis(Tensor x) {
    Tensor square = x.sub(x.mean(1, true)).square();
    Tensor variance = square.mean(1, false);
    return square.square().mean(1, false).div(variance.square());
  }

  private static double mean(List<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
  }
}
