package dev.jformer.model;

import dev.jformer.config.Checks;
import dev.jformer.mixer.attention.SubsampledAttention;
import dev.jformer.nn.Module;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/**
 * Averages the predictions of a model with {@link SubsampledAttention} over passes that each draw
 * other pairs of tokens (<a href="https://arxiv.org/abs/2306.01705">The Information Pathways
 * Hypothesis: Transformers are Dynamic Self-Ensembles</a>). Draws come from the library's
 * generator.
 */
public final class SelfEnsemble {
  private SelfEnsemble() {}

  /**
   * Computes the logarithm of the mean probabilities of several subsampled passes in inference
   * mode. Without subsampled attention all passes are equal.
   *
   * @param ids int64 [B, T]
   * @param passes number of passes
   * @return [B, T, V]
   */
  public static Tensor logProbabilities(CausalLm model, Tensor ids, int passes) {
    Checks.atLeast("passes", passes, 1);
    boolean learning = model.isTraining();
    model.train(false);
    subsample(model, true);
    try {
      Tensor sum = null;
      for (int i = 0; i < passes; i++) {
        Tensor probabilities = model.logits(ids).to(DType.FLOAT32).softmax(2);
        sum = sum == null ? probabilities : sum.add(probabilities);
      }
      return sum.div(passes).log();
    } finally {
      subsample(model, false);
      model.train(learning);
    }
  }

  private static void subsample(CausalLm model, boolean on) {
    for (Module module : model.modules().values()) {
      if (module instanceof SubsampledAttention mixer) {
        mixer.subsample(on);
      }
    }
  }
}
