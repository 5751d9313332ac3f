package dev.jformer.mixer.linear;

import dev.jformer.mixer.attention.Attention;
import dev.jformer.mixer.attention.AttentionMask;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Position;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * Attention whose weights are products φ(q)·φ(k) of features that are not negative (arXiv
 * 2006.16236), so that sums over tokens can be taken before the products with queries: time and
 * memory are O(T), and decoding remembers sums instead of tokens.
 *
 * <p>Rotary positions turn queries and keys before the features are taken. There are no logits that
 * a position encoding could add a bias to.
 */
abstract class KernelAttention extends Attention {
  private final int sums;

  /**
   * As {@link Attention}'s.
   *
   * @param sums number of sums that decoding remembers
   * @throws IllegalArgumentException if the position encoding adds biases
   */
  KernelAttention(int heads, BlockContext site, Position position, int sums) {
    super(heads, 0, site, position);
    this.sums = sums;
    refuseBias();
  }

  /** φ of queries, and of keys, not negative: [B, H, T, d] to [B, H, T, m]. */
  abstract Tensor features(Tensor x);

  /** φ of keys where it differs from that of queries by a factor for all of them. */
  Tensor keyFeatures(Tensor x) {
    return features(x);
  }

  /**
   * What tokens take from all tokens.
   *
   * @param heads features of queries and keys, zero where a token is padding, and values
   * @param paddingMask bool [B, 1, T], or null
   * @return [B, H, T, d]
   */
  abstract Tensor bothWays(Heads heads, Tensor paddingMask);

  /**
   * What tokens take from those up to themselves.
   *
   * @param heads as in {@link #bothWays}
   * @param paddingMask as in {@link #bothWays}
   * @param past the tokens before these, to which these are added
   * @return [B, H, T, d]
   */
  abstract Tensor running(Heads heads, Tensor paddingMask, RunningSums past);

  /** The matrix of weights, given what {@link #bothWays} or {@link #running} are given. */
  abstract Tensor matrix(Heads heads, Tensor paddingMask);

  @Override
  public final State start(long batch, long capacity) {
    return new RunningSums(sums);
  }

  @Override
  protected final Tensor attend(Heads heads, AttentionMask pairs) {
    return Scope.tidy(
        () -> {
          Heads features = features(heads, pairs.paddingMask());
          Tensor paddingMask = keep(pairs);
          return isCausal()
              ? running(features, paddingMask, RunningSums.NONE)
              : bothWays(features, paddingMask);
        });
  }

  @Override
  protected final Tensor attend(Heads heads, State state) {
    RunningSums past = (RunningSums) state;
    Tensor result = Scope.tidy(() -> running(features(heads, null), null, past));
    past.advance(heads.query().size(2));
    return result;
  }

  @Override
  protected final Tensor weights(Heads heads, AttentionMask pairs) {
    return Scope.tidy(() -> matrix(features(heads, pairs.paddingMask()), keep(pairs)));
  }

  private static Tensor keep(AttentionMask pairs) {
    return pairs.paddingMask() == null ? null : pairs.paddingMask().unsqueeze(1);
  }

  private Heads features(Heads heads, Tensor paddingMask) {
    // One copy here spares one for each product.
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
