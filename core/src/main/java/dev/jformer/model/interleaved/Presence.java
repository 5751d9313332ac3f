package dev.jformer.model.interleaved;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/**
 * Which places hold tokens and not padding; masks are null where all do or nobody has to know.
 *
 * @param tokens bool [B t, n], the places of all groups
 * @param matters whether local layers have to be told of them
 * @param readable bool [B g, n], the places that the latents of the first g groups read; all of a
 *     group without a token, whose latents no other sees
 * @param latents bool [B, g m], those whose group holds a token
 */
record Presence(Tensor tokens, boolean matters, Tensor readable, Tensor latents) {
  /**
   * Finds the places.
   *
   * @param read g, the number of groups whose latents are read by others
   * @param each m, latents of a group
   * @param causal whether tokens see no later ones, so that what fills the last group has no
   *     influence
   */
  static Presence of(Groups groups, long batch, long read, long each, boolean causal) {
    Tensor tokens = groups.tokens(batch);
    if (tokens == null || (causal && groups.padding() == null)) {
      return new Presence(tokens, false, null, null);
    }
    if (read == 0) {
      return new Presence(tokens, true, null, null);
    }
    Tensor own = Groups.first(tokens, batch, read);
    Tensor any = own.to(DType.FLOAT32).max(1, true).gt(0);
    Tensor latents = any.view(batch, read).repeatInterleave(each, 1);
    return new Presence(tokens, true, own.or(any.not()), latents);
  }
}
