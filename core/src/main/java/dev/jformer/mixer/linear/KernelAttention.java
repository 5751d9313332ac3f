package dev.jformer.mixer.linear;

import dev.jformer.mixer.attention.Attention;
import dev.jformer.mixer.attention.AttentionMask;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Position;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * Kernel attention (<a href="https://arxiv.org/abs/2006.16236">Transformers are RNNs: Fast
 * Autoregressive Transformers with Linear Attention</a>), whose weights are products φ(q)·φ(k) of
 * nonnegative features. So sums over tokens can be computed before the products with queries: time
 * and memory are O(T), and decoding stores sums instead of tokens.
 *
 * <p>Rotary positions rotate queries and keys before the features are computed. There are no logits
 * to which a position encoding could add a bias.
 */
abstract class KernelAttention extends Attention {
  private final int sums;

  /**
   * Creates the layers of {@link Attention}.
   *
   * @param sums number of sums that decoding stores
   * @throws IllegalArgumentException if the position encoding adds biases
   */
  KernelAttention(int heads, BlockContext context, Position position, int sums) {
    super(heads, 0, context, position);
    this.sums = sums;
    refuseBias();
  }

  /** The nonnegative features φ of queries and keys: [B, H, T, d] to [B, H, T, m]. */
  abstract Tensor features(Tensor x);

  /** The features of keys, if they differ from those of queries by a common factor. */
  Tensor keyFeatures(Tensor x) {
    return features(x);
  }

  /**
   * Computes bidirectional attention.
   *
   * @param heads features of queries and keys, zero where a token is padding, and values
   * @param paddingMask bool [B, 1, T], or null
   * @return [B, H, T, d]
   */
  abstract Tensor bidirectional(Heads heads, Tensor paddingMask);

  /**
   * Computes causal attention.
   *
   * @param heads as in {@link #bidirectional}
   * @param paddingMask as in {@link #bidirectional}
   * @param past the tokens before these, to which these are added
   * @return [B, H, T, d]
   */
  abstract Tensor causal(Heads heads, Tensor paddingMask, RunningSums past);

  /** The matrix of weights, for the arguments of {@link #bidirectional} or {@link #causal}. */
  abstract Tensor matrix(Heads heads, Tensor paddingMask);

  @Override
  public final State start(long batch, long capacity) {
    return new RunningSums(sums, batch);
  }

  @Override
  protected final Tensor attend(Heads heads, AttentionMask mask) {
    return Scope.tidy(
        () -> {
          Heads features = features(heads, mask.paddingMask());
          Tensor paddingMask = paddingMask(mask);
          return isCausal()
              ? causal(features, paddingMask, RunningSums.NONE)
              : bidirectional(features, paddingMask);
        });
  }

  @Override
  protected final Tensor attend(Heads heads, State state) {
    RunningSums past = (RunningSums) state;
    Tensor result = Scope.tidy(() -> causal(features(heads, null), null, past));
    past.advance(heads.query().size(2));
    return result;
  }

  @Override
  protected final Tensor weights(Heads heads, AttentionMask mask) {
    return Scope.tidy(() -> matrix(features(heads, mask.paddingMask()), paddingMask(mask)));
  }

  private static Tensor paddingMask(AttentionMask mask) {
    return mask.paddingMask() == null ? null : mask.paddingMask().unsqueeze(1);
  }

  private Heads features(Heads heads, Tensor paddingMask) {
    // One copy here avoids one in each product.
    Tensor query = features(heads.query().contiguous());
    Tensor key = keyFeatures(heads.key().contiguous());
    Tensor value = heads.value().contiguous();
    if (paddingMask == null) {
      return new Heads(query, key, value);
    }
    Tensor padding = paddingMask.not().unsqueeze(1).unsqueeze(3);
    return new Heads(query.maskedFill(padding, 0), key.maskedFill(padding, 0), value);
  }
}
