package dev.jformer.model;

import dev.jformer.nn.ForwardHook;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The activation sparsity of a model, as in <a href="https://arxiv.org/abs/2210.06313">The Lazy
 * Neuron Phenomenon: On Emergence of Activation Sparsity in Transformers</a>. It is the share of
 * the perceptrons' hidden units that are not 0 after the activation and so contribute to the result
 * for a token.
 *
 * @param layers the share in each block, first to last, over all measured tokens
 */
public record ActivationSparsity(List<Double> layers) {
  private static final String UNITS = "blocks\\.\\d+\\.ffn\\.units";

  /** The mean share over the layers. */
  public double mean() {
    return layers.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
  }

  /**
   * Measures a model in inference mode, counting exactly.
   *
   * @param batches ids, int64 [B, T] each
   * @throws IllegalArgumentException if the channel mixers have no hidden units ({@code units})
   */
  public static ActivationSparsity of(CausalLm model, List<Tensor> batches) {
    boolean training = model.isTraining();
    model.train(false);
    Map<String, long[]> counts = new LinkedHashMap<>();
    try (Mode mode = Autograd.noGrad();
        ForwardHook probe =
            ForwardHook.on(
                model,
                name -> name.matches(UNITS),
                seen -> {
                  long[] count = counts.computeIfAbsent(seen.layer(), name -> new long[2]);
                  count[0] += (long) seen.output().eq(0).not().to(DType.INT64).sum().item();
                  count[1] += seen.output().elements();
                })) {
      for (Tensor ids : batches) {
        try (Scope scope = Scope.open()) {
          model.hidden(ids);
        }
      }
    } finally {
      model.train(training);
    }
    List<Double> shares = new ArrayList<>();
    counts.values().forEach(count -> shares.add((double) count[0] / count[1]));
    return new ActivationSparsity(List.copyOf(shares));
  }
}
