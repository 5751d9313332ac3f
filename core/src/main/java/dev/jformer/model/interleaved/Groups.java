package dev.jformer.model.interleaved;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * A division of sequences into groups of tokens. The last group may end in places without a token,
 * which count as padding.
 *
 * @param length number of tokens
 * @param size n, tokens in a group
 * @param padding bool [B, T], false at padding of the sequences themselves; null if there is none
 */
record Groups(long length, long size, Tensor padding) {
  /** t, the number of groups. */
  long count() {
    return (length + size - 1) / size;
  }

  private long missing() {
    return count() * size - length;
  }

  /** Cuts tokens: [B, T, D] to [B t, n, D]. */
  Tensor cut(Tensor x) {
    Tensor whole = missing() == 0 ? x : Functional.pad(x, 0, 0, 0, 0, missing());
    return whole.reshape(x.size(0) * count(), size, x.size(2));
  }

  /** Joins groups again: [B t, n, D] to [B, T, D]. */
  Tensor join(Tensor groups) {
    return groups.unflatten(0, -1, count()).flatten(1, 2).narrow(1, 0, length);
  }

  /** The places that hold a token, bool [B t, n]; null if all do. */
  Tensor tokens(long batch) {
    if (padding == null && missing() == 0) {
      return null;
    }
    Tensor real =
        padding == null ? Tensor.ones(batch, length) : padding.to(DType.FLOAT32).contiguous();
    return Functional.pad(real, 0, 0, missing()).gt(0).reshape(batch * count(), size);
  }

  /** The first groups of each sequence: [B t, ...] to [B count, ...]. */
  static Tensor first(Tensor all, long batch, long count) {
    return all.size(0) == batch * count
        ? all
        : all.unflatten(0, batch, -1).narrow(1, 0, count).flatten(0, 1);
  }
}
