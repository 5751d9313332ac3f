package dev.jformer.model;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Tensor;
import java.util.function.BiFunction;

/**
 * The attention entropy of a model, as in <a href="https://arxiv.org/abs/2303.06296">Stabilizing
 * Transformer Training by Preventing Attention Entropy Collapse</a>. It is the entropy, in nats, of
 * a token's attention weights. If it collapses, a head attends to one token only, and training
 * tends to become unstable.
 *
 * <p>Measuring does not change the model: it runs in inference mode and without gradients.
 */
public final class AttentionEntropy {
  private static final Operator MINUS_P_LOG_P = Operator.named("aten::special_entr");
  private static final Operator SINGULAR_VALUES = Operator.named("aten::linalg_svdvals");

  private AttentionEntropy() {}

  /**
   * Measures the mean entropy of each head's weights over the tokens of a batch.
   *
   * <p>The first token of a causal model sees itself only; its entropy of 0 counts. A causal model
   * with equal weights has {@code (ln 1 + … + ln T) / T} for T tokens.
   *
   * @param ids int64 [B, T]
   * @return [L][H], in nats; NaN where weights are NaN
   * @throws UnsupportedOperationException if a mixer has no matrix of weights
   */
  public static double[][] entropies(CausalLm model, Tensor ids) {
    return measure(
        model,
        ids,
        (mixer, x) -> {
          Tensor entropies =
              MINUS_P_LOG_P.call(mixer.weights(x, null).to(DType.FLOAT64)).sum(-1, false);
          return entropies.mean(-1, false).mean(0, false).toDoubles();
        });
  }

  /**
   * Measures the spectral norm of each head's matrix of logits [T, T], masked pairs included: the
   * largest over the sequences of a batch.
   *
   * @param ids int64 [B, T]
   * @return [L][H]; NaN where a logit is not finite
   * @throws UnsupportedOperationException if a mixer's weights are not a softmax
   */
  public static double[][] spectralNorms(CausalLm model, Tensor ids) {
    return measure(
        model,
        ids,
        (mixer, x) -> {
          Tensor logits = mixer.logits(x).transpose(0, 1).to(DType.FLOAT64);
          double[] norms = new double[(int) logits.size(0)];
          for (int head = 0; head < norms.length; head++) {
            Tensor matrices = logits.select(0, head);
            norms[head] =
                matrices.isFinite().all() // the decomposition fails on others
                    ? SINGULAR_VALUES.call(matrices).max().item()
                    : Double.NaN;
          }
          return norms;
        });
  }

  private static double[][] measure(
      CausalLm model, Tensor ids, BiFunction<TokenMixer, Tensor, double[]> heads) {
    return AttentionWeights.inLayers(model, ids, heads).toArray(double[][]::new);
  }

  /**
   * The least entropy that the softmax of a row of logits can have (<a
   * href="https://arxiv.org/abs/2303.06296">Stabilizing Transformer Training by Preventing
   * Attention Entropy Collapse</a>, theorem 3.1).
   *
   * <p>The paper states it with the product of the norms of {@code W_K W_Qᵀ} and {@code X Xᵀ}. The
   * logits' own norm is no larger, and the bound falls as the norm grows, so that this one is at
   * least as sharp. It is attained by a row with one logit of {@code σ √((T-1)/T)} and all others
   * of {@code -σ / √(T(T-1))}, if the other rows are zero.
   *
   * @param spectralNorm σ, of the matrix of logits
   * @param keys T, the number of tokens that the row's token may see
   * @return nats
   */
  public static double lowerBound(double spectralNorm, long keys) {
    if (!(spectralNorm >= 0) || keys < 1) {
      throw new IllegalArgumentException(
          "spectralNorm is "
              + spectralNorm
              + " and keys is "
              + keys
              + ": expected at least 0 and at least 1");
    }
    if (keys == 1) {
      return 0;
    }
    double others = keys - 1.0;
    double beta = Math.exp(-spectralNorm * Math.sqrt(keys / others));
    return Math.log1p(others * beta)
        + spectralNorm * Math.sqrt(keys * others) * beta / (1 + others * beta);
  }

  /**
   * The least mean entropy of T tokens, each of which sees itself and the tokens before it: the
   * mean of {@link #lowerBound} for 1 to T keys. Leaving out some of a row's logits does not make
   * its norm larger, so the bound holds for each row.
   */
  public static double causalLowerBound(double spectralNorm, long length) {
    double sum = 0;
    for (long keys = 1; keys <= length; keys++) {
      sum += lowerBound(spectralNorm, keys);
    }
    return sum / length;
  }

  /**
   * Measures how far the {@linkplain #entropies entropies} of a causal model are above the least
   * that the {@linkplain #spectralNorms norms} of the heads' logits allow ({@link
   * #causalLowerBound}). The distance is never negative, except for rounding.
   *
   * @param ids int64 [B, T]
   * @return [L][H], in nats; NaN where a logit is not finite
   */
  public static double[][] aboveLowerBound(CausalLm model, Tensor ids) {
    double[][] distances = entropies(model, ids);
    double[][] norms = spectralNorms(model, ids);
    for (int layer = 0; layer < norms.length; layer++) {
      for (int head = 0; head < norms[layer].length; head++) {
        double norm = norms[layer][head];
        distances[layer][head] -=
            Double.isNaN(norm) ? Double.NaN : causalLowerBound(norm, ids.size(1));
      }
    }
    return distances;
  }
}
