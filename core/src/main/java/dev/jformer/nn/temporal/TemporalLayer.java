package dev.jformer.nn.temporal;

import dev.jformer.nn.Layer;
import dev.jformer.tensor.Tensor;

/**
 * A layer of sequences whose output at a frame depends on that frame and those before it: [B, T, C]
 * to [B, T, E]. One method computes whole sequences and pieces of them, so the two cannot differ.
 */
public abstract class TemporalLayer extends Layer {
  /**
   * Reads frames.
   *
   * @param x [B, T, C]
   * @param state what layers keep of the frames before, which these follow, to be updated; null for
   *     whole sequences
   * @return [B, T, E]
   */
  public abstract Tensor run(Tensor x, StreamState state);

  /** Reads whole sequences. */
  @Override
  public final Tensor forward(Tensor x) {
    return run(x, null);
  }

  /** What this layer kept, [B, ...]; null before the first frame, or without a state. */
  protected final Tensor kept(StreamState state) {
    return state == null ? null : state.get(this);
  }

  /** Keeps a value [B, ...] for the frames that follow, if there is a state. */
  protected final void keep(StreamState state, Tensor value) {
    if (state != null) {
      state.set(this, value);
    }
  }
}
