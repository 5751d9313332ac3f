package dev.jformer.mixer.recurrent;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.cache.StateTensors;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import java.util.Arrays;
import java.util.Objects;

/**
 * The decoding state of a recurrent mixer: a few tensors, each with a row for every sequence. They
 * outlive scopes until the state is closed. It can drop all tokens, but not some.
 */
final class RecurrentState implements TokenMixer.State {
  private final Tensor[] values;
  private long length;

  /**
   * Creates an empty state.
   *
   * @param count how many tensors it holds
   */
  RecurrentState(int count) {
    this.values = new Tensor[count];
  }

  /** One of the tensors, [B, ...]; null before the first token. */
  Tensor get(int index) {
    return values[index];
  }

  /** Replaces one of the tensors by a copy of {@code value} [B, ...]. */
  void set(int index, Tensor value) {
    Tensor before = values[index];
    // Outside of inference mode, so that later steps may run in it or not.
    try (Mode mode = Autograd.noInference()) {
      Tensor copy = Tensor.zeros(value.dtype(), value.shape().toArray()).to(value.device());
      values[index] = copy.copy_(value.detach()).keep();
    }
    if (before != null) {
      before.close();
    }
  }

  /** Counts tokens that the tensors now stand for. */
  void advance(long tokens) {
    length += tokens;
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
    if (newLength == 0) {
      close();
      Arrays.fill(values, null);
      length = 0;
    } else if (newLength < length) {
      throw new UnsupportedOperationException(
          "a recurrent state of "
              + length
              + " tokens cannot drop those after the first "
              + newLength
              + ": start again from none (0)");
    }
  }

  @Override
  public void select(Tensor rows) {
    for (int i = 0; i < values.length; i++) {
      values[i] = StateTensors.selected(values[i], rows);
    }
  }

  @Override
  public long bytes() {
    return Arrays.stream(values)
        .filter(Objects::nonNull)
        .mapToLong(value -> value.elements() * value.dtype().bytes())
        .sum();
  }

  @Override
  public void close() {
    Arrays.stream(values).filter(Objects::nonNull).forEach(Tensor::close);
  }
}
