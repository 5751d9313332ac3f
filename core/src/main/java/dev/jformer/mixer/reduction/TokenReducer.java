package dev.jformer.mixer.reduction;

import dev.jformer.config.Part;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/** A rule by which tokens leave a sequence, from what attention shows of them. */
public interface TokenReducer extends Part {
  /**
   * Judges tokens.
   *
   * @return what becomes of them
   * @throws IllegalArgumentException if the rule needs a first token that stays
   */
  Reduction judge(ReductionInput scene);

  /** How much of the attention a rule looks at. */
  enum AttentionRows {
    /** None, so that the fused kernel may compute it. */
    NONE,
    /** What the first token takes. */
    FIRST,
    /** What each token takes. */
    ALL
  }

  /** How much of the attention this rule looks at. */
  AttentionRows sight();

  /** The least share of tokens that this rule can keep at once. */
  default double least() {
    return 0;
  }

  /**
   * What a rule sees.
   *
   * @param attention [B, H, T, T], row t for what token t takes; nothing from padding; only as many
   *     rows as the rule's {@link #sight} asks for
   * @param key [B, G, T, d]
   * @param paddingMask bool [B, T], false where a token is padding; null if there is none
   * @param share of the tokens that is to stay
   * @param first whether the first token stays in any case, as a token of its own for the class
   * @param layer number of the block, from 0
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
     * Number of tokens of each sequence that are no padding, [B, 1], or [1, 1] if there is none.
     */
    Tensor counts() {
      return paddingMask == null
          ? Tensor.full((double) length(), DType.FLOAT32, 1, 1)
          : paddingMask.to(DType.FLOAT32).sum(1, true);
    }

    /** Number of tokens of each sequence that stay, of the shape of {@link #counts}. */
    Tensor staying() {
      // What floats make of 0.7 times 10 is no reason to keep an eighth token.
      return counts().mul(share).sub(1e-4).floor().add(1);
    }

    /** Number of tokens that stay of a sequence of so many. */
    int staying(int count) {
      return (int) Math.floor(count * share - 1e-4) + 1;
    }

    /** 1 for tokens, 0 for padding: [B, T], or [1, T] if there is none. */
    Tensor present() {
      return paddingMask == null ? Tensor.ones(1, length()) : paddingMask.to(DType.FLOAT32);
    }
  }

  /**
   * What becomes of tokens.
   *
   * @param scores [B, T]; the highest stay
   * @param into int64 [B, T], the token that one joins if it does not stay, which stays itself;
   *     null if those that do not stay are dropped
   */
  record Reduction(Tensor scores, Tensor into) {}
}
