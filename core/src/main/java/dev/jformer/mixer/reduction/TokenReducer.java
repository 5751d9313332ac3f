package dev.jformer.mixer.reduction;

import dev.jformer.config.Part;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/** A rule that reduces the tokens of a sequence, by pruning or merging, based on attention. */
public interface TokenReducer extends Part {
  /**
   * Scores tokens.
   *
   * @return the scores, and the tokens to merge into
   * @throws IllegalArgumentException if the rule needs a class token but there is none
   */
  Reduction reduce(ReductionInput input);

  /** The rows of the attention matrix that a rule needs. */
  enum AttentionRows {
    /** None, so that attention can run on the fused kernel. */
    NONE,
    /** The row of the first token. */
    FIRST,
    /** All rows. */
    ALL
  }

  /** The rows of the attention matrix that this rule needs. */
  AttentionRows attentionRows();

  /** The least share of tokens that this rule can keep in one block. */
  default double least() {
    return 0;
  }

  /**
   * The input of a rule.
   *
   * @param attention weights [B, H, T, T], row t for token t, 0 for padding; only the rows that the
   *     rule's {@link #attentionRows} requests
   * @param key [B, G, T, d]
   * @param paddingMask bool [B, T], false where a token is padding; null if there is none
   * @param share share of the tokens to keep
   * @param first whether the first token is a class token, which always stays
   * @param layer index of the block, from 0
   * @param layers number of blocks
   */
  record ReductionInput(
      Tensor attention,
      Tensor key,
      Tensor paddingMask,
      double share,
      boolean first,
      int layer,
      int layers) {
    long length() {
      return attention.size(3);
    }

    /**
     * Number of tokens of each sequence without padding: [B, 1], or [1, 1] if there is no padding.
     */
    Tensor counts() {
      return paddingMask == null
          ? Tensor.full((double) length(), DType.FLOAT32, 1, 1)
          : paddingMask.to(DType.FLOAT32).sum(1, true);
    }

    /** Number of tokens of each sequence to keep, of the shape of {@link #counts}. */
    Tensor kept() {
      // Rounding of 0.7 times 10 must not keep an eighth token.
      return counts().mul(share).sub(1e-4).floor().add(1);
    }

    /** Number of tokens to keep of a sequence of {@code count}. */
    int kept(int count) {
      return (int) Math.floor(count * share - 1e-4) + 1;
    }

    /** A mask of 1 for tokens and 0 for padding: [B, T], or [1, T] if there is no padding. */
    Tensor present() {
      return paddingMask == null ? Tensor.ones(1, length()) : paddingMask.to(DType.FLOAT32);
    }
  }

  /**
   * The result of a rule.
   *
   * @param scores [B, T]; tokens with the highest scores stay
   * @param into int64 [B, T], the token that each is merged into if it does not stay; that one must
   *     stay. Null if tokens are dropped
   */
  record Reduction(Tensor scores, Tensor into) {}
}
