package dev.jformer.nn.temporal;

import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import java.util.IdentityHashMap;

/**
 * What the layers of a model keep of the frames of a batch of sequences that they have read, a
 * tensor for each layer. The tensors outlive scopes until the state is closed.
 */
public final class StreamState implements AutoCloseable {
  private final IdentityHashMap<TemporalLayer, Tensor> values = new IdentityHashMap<>();

  /** What a layer keeps, [B, ...]; null before the first frame. */
  Tensor get(TemporalLayer layer) {
    return values.get(layer);
  }

  /** Replaces what a layer keeps by a copy of {@code value} [B, ...]. */
  void set(TemporalLayer layer, Tensor value) {
    // Outside of inference mode, so that later steps may run in it or not.
    try (Mode mode = Autograd.noInference()) {
      Tensor copy = Tensor.zeros(value.dtype(), value.shape().toArray()).to(value.device());
      Tensor before = values.put(layer, copy.copy_(value.detach()).keep());
      if (before != null) {
        before.close();
      }
    }
  }

  /** Bytes of memory held. */
  public long bytes() {
    return values.values().stream()
        .mapToLong(value -> value.elements() * value.dtype().bytes())
        .sum();
  }

  /** Forgets all frames, so that new sequences can be read. */
  public void clear() {
    values.values().forEach(Tensor::close);
    values.clear();
  }

  @Override
  public void close() {
    clear();
  }
}
