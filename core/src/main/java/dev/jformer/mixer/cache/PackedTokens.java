package dev.jformer.mixer.cache;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Tensor;

/**
 * Groups of tokens' keys or values in few bits. Numbers x are stored as integers q with {@code x ≈
 * low + scale q}, covering the range of the numbers that share a scale. A byte holds several q: the
 * one of token t and, in its higher bits, those of the tokens a half or quarters of a group later,
 * so that unpacking writes whole rows.
 *
 * @param kind the format
 * @param integers uint8 [B, G, n, group · bits / 8, d]; float16 [B, G, n, group, d] with 16 bits
 * @param scale float16 [B, G, n, 1, d] of keys, [B, G, n, group, d / perScale, 1] of values; null
 *     with 16 bits
 * @param low the offsets, of the shape of {@code scale}
 */
record PackedTokens(Kind kind, Tensor integers, Tensor scale, Tensor low) implements AutoCloseable {
  private static final Operator SHIFT = Operator.named("aten::__rshift__.Scalar");
  private static final Operator MASK = Operator.named("aten::__and__.Scalar");
  private static final double LARGEST_HALF = 65504;
  private static final int GROUPS = 2;
  private static final int TOKENS = 3;
  private static final int CHANNELS = 4;

  /**
   * The format of packed numbers.
   *
   * @param bits 16, 8, 4 or 2
   * @param perScale number of channels of a token that share a scale; 0 if the tokens of a group
   *     share one for each channel
   */
  record Kind(int bits, int perScale) {
    int perByte() {
      return 8 / bits;
    }

    /** Reshapes numbers [B, G, n, group, d] so that those with one scale lie along a dimension. */
    Tensor byScale(Tensor x) {
      return perScale == 0 ? x : x.unflatten(CHANNELS, x.size(CHANNELS) / perScale, perScale);
    }

    int shared() {
      return perScale == 0 ? TOKENS : CHANNELS + 1;
    }
  }

  /** Packs groups [B, G, n, group, d]. */
  static PackedTokens of(Tensor groups, Kind kind) {
    Tensor bounded = groups.clamp(-LARGEST_HALF, LARGEST_HALF);
    if (kind.bits() == 16) {
      return new PackedTokens(kind, bounded.to(DType.FLOAT16), null, null);
    }
    Tensor x = kind.byScale(bounded);
    double levels = (1 << kind.bits()) - 1;
    Tensor least = x.neg().max(kind.shared(), true).neg();
    Tensor low = least.to(DType.FLOAT16);
    Tensor span = x.max(kind.shared(), true).div(levels).sub(least.div(levels));
    Tensor scale = span.to(DType.FLOAT16);
    scale = scale.maskedFill(scale.eq(0), 1); // all numbers are equal
    Tensor q =
        x.sub(low.to(x.dtype()))
            .div(scale.to(x.dtype()))
            .round()
            .clamp(0, levels)
            .to(DType.UINT8)
            .reshape(groups.shape().toArray());
    return new PackedTokens(kind, packed(q, kind), scale, low);
  }

  private static Tensor packed(Tensor q, Kind kind) {
    if (kind.perByte() == 1) {
      return q;
    }
    Tensor rows = rows(q, kind);
    Tensor bytes = rows.select(TOKENS, 0);
    for (int i = 1; i < kind.perByte(); i++) {
      bytes = bytes.add(rows.select(TOKENS, i).mul(1L << (i * kind.bits())));
    }
    return bytes;
  }

  /** Splits a group's tokens into as many rows as a byte holds numbers. */
  private static Tensor rows(Tensor groups, Kind kind) {
    return groups.unflatten(TOKENS, kind.perByte(), groups.size(TOKENS) / kind.perByte());
  }

  /** The number n of groups. */
  long groups() {
    return integers.size(GROUPS);
  }

  /** Writes the numbers to {@code target}, [B, G, n, group, d], which may be a view. */
  void unpackTo(Tensor target) {
    if (kind.bits() == 16 || kind.perByte() == 1) {
      target.copy_(integers);
    } else {
      Tensor rows = rows(target, kind);
      long mask = (1L << kind.bits()) - 1;
      for (int i = 0; i < kind.perByte(); i++) {
        Tensor shifted = i == 0 ? integers : SHIFT.call(integers, i * kind.bits());
        boolean last = i == kind.perByte() - 1;
        rows.select(TOKENS, i).copy_(last ? shifted : MASK.call(shifted, mask));
      }
    }
    if (scale != null) {
      Tensor byScale = kind.byScale(target);
      byScale.mul_(scale.to(target.dtype())).add_(low.to(target.dtype()));
    }
  }

  /** Unpacks the numbers, [B, G, n, group, d]. */
  Tensor unpacked(DType dtype) {
    long[] shape = integers.shape().toArray();
    shape[TOKENS] *= kind.bits() == 16 ? 1 : kind.perByte();
    Tensor target = Tensor.empty(dtype, shape);
    unpackTo(target);
    return target;
  }

  /** The first {@code count} groups. */
  PackedTokens first(long count) {
    return part(0, count);
  }

  /** All but the first {@code count} groups. */
  PackedTokens without(long count) {
    return part(count, groups() - count);
  }

  private PackedTokens part(long start, long count) {
    return new PackedTokens(
        kind,
        integers.narrow(GROUPS, start, count).copy(),
        scale == null ? null : scale.narrow(GROUPS, start, count).copy(),
        low == null ? null : low.narrow(GROUPS, start, count).copy());
  }

  /** These groups and others after them. */
  PackedTokens followedBy(PackedTokens others) {
    return new PackedTokens(
        kind,
        Tensor.cat(GROUPS, integers, others.integers),
        scale == null ? null : Tensor.cat(GROUPS, scale, others.scale),
        low == null ? null : Tensor.cat(GROUPS, low, others.low));
  }

  /** Lets the tensors outlive the scope they were made in. */
  PackedTokens kept() {
    integers.keep();
    if (scale != null) {
      scale.keep();
      low.keep();
    }
    return this;
  }

  long bytes() {
    long bytes = integers.elements() * integers.dtype().bytes();
    return scale == null
        ? bytes
        : bytes + (scale.elements() + low.elements()) * scale.dtype().bytes();
  }

  @Override
  public void close() {
    integers.close();
    if (scale != null) {
      scale.close();
      low.close();
    }
  }
}
