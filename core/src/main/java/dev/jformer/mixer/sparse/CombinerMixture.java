package dev.jformer.mixer.sparse;

import dev.jformer.mixer.attention.Attention;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * Combiner's mixture: one softmax over the keys that a query sees directly and the summaries of
 * regions of keys.
 */
final class CombinerMixture {
  private CombinerMixture() {}

  /**
   * The summaries of regions.
   *
   * @param key [..., d], the largest or the mean of the region's keys, channel by channel
   * @param value [..., d], the region's values, weighted by a query pooled from the region
   * @param there bool [...], false where all of the region is padding
   */
  record Regions(Tensor key, Tensor value, Tensor there) {}

  /**
   * Computes summaries of groups of tokens.
   *
   * @param h queries, keys and values [B, H, ..., n, d], n tokens each
   * @param there bool, broadcasts to [B, H, ..., n]; false where a token is padding
   * @param largest whether queries and keys are pooled by their maximum, not their mean
   */
  static Regions of(Attention.Heads h, Tensor there, boolean largest) {
    Tensor mask = there.unsqueeze(there.rank());
    Tensor query = pool(h.query(), mask, largest);
    Tensor key = pool(h.key(), mask, largest);
    double scale = 1 / Math.sqrt((double) h.key().size(-1));
    Tensor scores = h.key().mul(query.mul(scale)).sum(-1, true);
    int tokens = h.key().rank() - 2;
    Tensor share =
        Functional.safeSoftmax(scores.maskedFill(mask.not(), Double.NEGATIVE_INFINITY), tokens);
    Tensor value = share.mul(h.value()).sum(tokens, false);
    int last = there.rank() - 1;
    Tensor any = there.to(dev.jformer.tensor.DType.FLOAT32).max(last, false).gt(0);
    return new Regions(key.squeeze(tokens), value, any);
  }

  /** The maximum or mean of tokens that are not padding, 0 if there are none: [..., 1, d]. */
  private static Tensor pool(Tensor x, Tensor mask, boolean largest) {
    int tokens = x.rank() - 2;
    if (largest) {
      Tensor low = x.maskedFill(mask.not(), -Float.MAX_VALUE).max(tokens, true);
      Tensor any = mask.to(x.dtype()).max(mask.rank() - 2, true).gt(0);
      return low.maskedFill(any.not(), 0);
    }
    Tensor kept = mask.to(x.dtype());
    Tensor count = kept.sum(mask.rank() - 2, true).clamp(1, Double.POSITIVE_INFINITY);
    return x.mul(kept).sum(tokens, true).div(count);
  }

  /**
   * Computes the mixture.
   *
   * @param query [B, H, N, C, d], in chunks
   * @param key [B, H, N, K, d], the keys that a chunk sees directly
   * @param value [B, H, N, K, d]
   * @param seen bool, broadcasts to [B, H, N, C, K]
   * @param regionKey [B, H, N or 1, R, d]
   * @param regionValue [B, H, N or 1, R, d]
   * @param regionSeen bool, broadcasts to [B, H, N, C, R]
   * @return [B, H, N, C, d]
   */
  static Tensor attend(
      Tensor query,
      Tensor key,
      Tensor value,
      Tensor seen,
      Tensor regionKey,
      Tensor regionValue,
      Tensor regionSeen) {
    Tensor scaled = query.mul(1 / Math.sqrt((double) query.size(-1)));
    Tensor direct = scaled.matmul(key.t()).maskedFill(seen.not(), Double.NEGATIVE_INFINITY);
    Tensor through =
        scaled.matmul(regionKey.t()).maskedFill(regionSeen.not(), Double.NEGATIVE_INFINITY);
    Tensor p = Functional.safeSoftmax(Tensor.cat(4, direct, through), -1);
    long keys = direct.size(4);
    Tensor near = p.narrow(4, 0, keys).matmul(value);
    return near.add(p.narrow(4, keys, p.size(4) - keys).matmul(regionValue));
  }
}
