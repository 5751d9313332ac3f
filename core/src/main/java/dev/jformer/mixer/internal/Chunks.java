package dev.jformer.mixer.internal;

import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * Tokens cut into chunks of one size, the last filled up with padding.
 *
 * @param length T
 * @param size C, tokens in a chunk
 * @param count N, number of chunks
 */
public record Chunks(long length, long size, long count) {
  public static Chunks of(long length, long size) {
    return new Chunks(length, size, (length + size - 1) / size);
  }

  private long missing() {
    return count * size - length;
  }

  /** [B, H, T, d] as [B, H, N, C, d], filled up with zeros. */
  public Tensor cut(Tensor x) {
    Tensor all = missing() == 0 ? x : Functional.pad(x, 0, 0, 0, 0, missing());
    return all.unflatten(2, count, size);
  }

  /** What {@link #cut} cut: [B, H, N, C, d] as [B, H, T, d]. */
  public Tensor join(Tensor x) {
    Tensor all = x.flatten(2, 3);
    return missing() == 0 ? all : all.narrow(2, 0, length);
  }

  /** Which tokens are there: bool [B, 1, N, C], or [1, 1, N, C] where all sequences are whole. */
  public Tensor kept(Tensor paddingMask) {
    Tensor all = paddingMask == null ? Tensor.ones(1, length).gt(0) : paddingMask;
    if (missing() > 0) {
      Tensor none = Tensor.zeros(all.size(0), missing()).gt(0);
      all = Tensor.cat(1, all, none);
    }
    return all.view(-1, 1, count, size);
  }

  /** Whether every chunk is full and no token is padding. */
  public boolean full(Tensor paddingMask) {
    return paddingMask == null && missing() == 0;
  }

  /** The chunk before each, or after each: [B, H, N, C, d], with zeros where there is none. */
  public static Tensor shifted(Tensor chunks, int by) {
    long count = chunks.size(2);
    Tensor none = chunks.narrow(2, 0, 1).zerosLike();
    return by < 0
        ? Tensor.cat(2, none, chunks.narrow(2, 0, count - 1))
        : Tensor.cat(2, chunks.narrow(2, 1, count - 1), none);
  }
}
