package dev.jformer.mixer.cache;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;

/** The decoding state of a mixer that needs a fixed number of previous tokens. */
public final class ConvState implements TokenMixer.State {
  private final long most;
  private Tensor last;
  private long length;

  /** Creates a state that stores at most {@code most} tokens. */
  public ConvState(long most) {
    this.most = most;
  }

  /** Adds the next tokens [B, T, D]; returns the stored tokens followed by these. */
  public Tensor append(Tensor next) {
    Tensor all = last == null ? next : Tensor.cat(1, last, next);
    long kept = Math.min(most, all.size(1));
    Tensor before = last;
    // Outside of inference mode, so that later steps may run in it or not.
    try (Mode mode = Autograd.noInference()) {
      Tensor copy = Tensor.zeros(next.dtype(), next.size(0), kept, next.size(2));
      last = copy.copy_(all.narrow(1, all.size(1) - kept, kept).detach()).keep();
    }
    length += next.size(1);
    if (before != null) {
      before.close();
    }
    return all;
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
      last = null;
      length = 0;
    } else if (newLength < length) {
      throw new UnsupportedOperationException(
          "only the last " + most + " tokens are stored: start again from none (0)");
    }
  }

  @Override
  public void select(Tensor rows) {
    last = StateTensors.selected(last, rows);
  }

  @Override
  public long bytes() {
    return last == null ? 0 : last.elements() * last.dtype().bytes();
  }

  @Override
  public void close() {
    if (last != null) {
      last.close();
    }
  }
}
