package dev.jformer.model;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;

/**
 * The attention weights of a model's heads: which tokens a token attends to, as in <a
 * href="https://arxiv.org/abs/2407.15360">Dissecting Multiplication in Transformers: Insights into
 * LLMs</a>. Measuring does not change the model: it runs in inference mode and without gradients.
 */
public final class AttentionWeights {
  private AttentionWeights() {}

  /**
   * Measures the mean weights over the sequences of a batch, for prompts in which each place has
   * its meaning, such as digits of numbers.
   *
   * @param ids int64 [B, T]
   * @return [L][H][T][T]; row t holds the mean weights of all tokens for token t, which sum to 1
   * @throws UnsupportedOperationException if a mixer has no matrix of weights
   */
  public static double[][][][] means(CausalLm model, Tensor ids) {
    int length = (int) ids.size(1);
    return inLayers(
            model,
            ids,
            (mixer, x) -> {
              Tensor weights = mixer.weights(x, null).to(DType.FLOAT64);
              double[] flat = weights.mean(0, false).toDoubles();
              double[][][] heads = new double[flat.length / length / length][length][length];
              for (int i = 0; i < flat.length; i++) {
                heads[i / length / length][i / length % length][i % length] = flat[i];
              }
              return heads;
            })
        .toArray(double[][][][]::new);
  }

  /** Measures something of each layer's token mixer, given its input: first layer to last. */
  static <R> List<R> inLayers(CausalLm model, Tensor ids, BiFunction<TokenMixer, Tensor, R> layer) {
    boolean training = model.isTraining();
    model.train(false);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      List<Tensor> inputs = model.mixerInputs(ids);
      List<R> all = new ArrayList<>();
      for (int i = 0; i < inputs.size(); i++) {
        try (Scope each = Scope.open()) {
          all.add(layer.apply(model.blocks().get(i).mixer(), inputs.get(i)));
        }
      }
      return all;
    } finally {
      model.train(training);
    }
  }
}
