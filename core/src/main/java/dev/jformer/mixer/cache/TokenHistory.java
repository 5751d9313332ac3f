package dev.jformer.mixer.cache;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;

/**
 * A decoding state that stores all tokens seen so far, or a map of them, in memory that is
 * allocated for the longest sequence at the first tokens. They are stored in reverse order, so that
 * the newest comes first.
 */
public final class TokenHistory implements TokenMixer.State {
  private long batch;
  private final long capacity;
  private Tensor tokens;
  private long length;

  /** Creates an empty history. */
  public TokenHistory(long batch, long capacity) {
    this.batch = batch;
    this.capacity = capacity;
  }

  /** Adds the next tokens [B, T, D]. */
  public void append(Tensor next) {
    long added = next.size(1);
    if (length + added > capacity) {
      throw new IllegalArgumentException(
          "the history holds "
              + capacity
              + " tokens: "
              + added
              + " more than "
              + length
              + " do not fit");
    }
    if (tokens == null) {
      // Outside of inference mode, so that later steps may run in it or not.
      try (Mode mode = Autograd.noInference()) {
        tokens = Tensor.zeros(next.dtype(), batch, capacity, next.size(2)).keep();
      }
    }
    tokens.narrow(1, capacity - length - added, added).copy_(next.flip(1));
    length += added;
  }

  /** The first {@code count} tokens of the sequence, the last of them first: [B, count, D]. */
  public Tensor newestFirst(long count) {
    return tokens.narrow(1, capacity - count, count);
  }

  @Override
  public long length() {
    return length;
  }

  @Override
  public void truncate(long newLength) {
    if (newLength < 0) {
      throw new IllegalArgumentException(
          "cannot keep " + newLength + " tokens: expected at least 0");
    }
    length = Math.min(length, newLength);
  }

  @Override
  public void select(Tensor rows) {
    tokens = StateTensors.selected(tokens, rows);
    batch = rows.elements();
  }

  @Override
  public long bytes() {
    return tokens == null ? 0 : tokens.elements() * tokens.dtype().bytes();
  }

  @Override
  public void close() {
    if (tokens != null) {
      tokens.close();
    }
  }
}
