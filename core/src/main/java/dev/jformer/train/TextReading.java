package dev.jformer.train;

import dev.jformer.data.text.TextBatch;
import dev.jformer.model.Encoder;
import java.util.function.Consumer;

/**
 * A task in which an encoder reads texts, or other sequences of tokens, that it can learn from
 * without labels too.
 */
public interface TextReading extends Task {
  /** The model that is trained. */
  Encoder model();

  /**
   * The texts of a batch.
   *
   * @param index number of the batch, as in {@link #loss}
   */
  TextBatch texts(long index);

  /** Passes the held-out texts, batch by batch. */
  void heldOutTexts(Consumer<TextBatch> consumer);
}
