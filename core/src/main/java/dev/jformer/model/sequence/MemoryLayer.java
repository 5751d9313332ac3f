package dev.jformer.model.sequence;

import dev.jformer.mixer.recurrent.LegendreMemory;
import dev.jformer.nn.temporal.StreamState;
import dev.jformer.nn.temporal.TemporalLayer;
import dev.jformer.tensor.Tensor;

/** A Legendre memory of one signal as a layer of sequences: [B, T, 1] to [B, T, d]. */
final class MemoryLayer extends TemporalLayer {
  private final LegendreMemory memory;

  MemoryLayer(int order, double window) {
    this.memory = new LegendreMemory(order, window);
  }

  @Override
  public Tensor run(Tensor x, StreamState state) {
    Tensor remembered = memory.of(x, kept(state));
    keep(state, remembered.select(1, x.size(1) - 1));
    return remembered.squeeze(2);
  }
}
