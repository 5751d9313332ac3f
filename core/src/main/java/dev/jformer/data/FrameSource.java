package dev.jformer.data;

import dev.jformer.tensor.Tensor;
import java.util.function.BiConsumer;

/** Labelled sequences of vectors, the frames, to learn from in batches and to evaluate on. */
public interface FrameSource {
  /**
   * Sequences with their classes.
   *
   * @param frames [B, T, F], float32
   * @param labels int64 [B]
   */
  record Batch(Tensor frames, Tensor labels) {}

  /** The number of sequences to learn from. */
  int training();

  /** The number of sequences that are held out. */
  int heldOut();

  /** Sequences in a batch. */
  int batch();

  /** The batch with this number; it depends only on the seed and the number. */
  Batch batch(long number);

  /** Passes all held-out sequences, batch by batch; tensors live until the consumer returns. */
  void heldOut(BiConsumer<Tensor, Tensor> consumer);
}
