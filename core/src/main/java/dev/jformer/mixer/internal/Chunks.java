package dev.jformer.mixer.internal;

import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * A division of tokens into chunks of equal size, the last one padded.
 *
 * @param length T
 * @param size C, number of tokens in a chunk
 * @param count N, number of chunks
 */
public record Chunks(long length, long size, long count) {
  /** Divides a sequence into chunks. */
  public static Chunks of(long length, long size) {
    return new Chunks(length, size, (length + size - 1) / size);
  }

  private long missing() {
    return count * size - length;
  }

  /** Cuts [B, H, T, d] into [B, H, N, C, d], padded with zeros. */
  public Tensor cut(Tensor x) {
    Tensor all = missing() == 0 ? x : Functional.pad(x, 0, 0, 0, 0, missing());
    return all.unflatten(2, count, size);
  }

  /** Joins chunks, the inverse of {@link #cut}: [B, H, N, C, d] to [B, H, T, d]. */
  public Tensor join(Tensor x) {
    Tensor all = x.flatten(2, 3);
    return missing() == 0 ? all : all.narrow(2, 0, length);
  }

  /** A mask that is false at padding: bool [B, 1, N, C], or [1, 1, N, C] without a padding mask. */
  public Tensor tokenMask(Tensor paddingMask) {
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

  /**
   * Shifts chunks: the one before each ({@code by} -1) or after each, zeros where there is none.
   */
  public static Tensor shifted(Tensor chunks, int by) {
    long count = chunks.size(2);
    Tensor none = chunks.narrow(2, 0, 1).zerosLike();
    return by < 0
        ? Tensor.cat(2, none, chunks.narrow(2, 0, count - 1))
        : Tensor.cat(2, chunks.narrow(2, 1, count - 1), none);
  }
}
