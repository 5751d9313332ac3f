package dev.jformer.data.text;

import dev.jformer.data.DataException;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.util.function.Consumer;

/** Reads the validation part of a token file in order. */
public final class HeldOut {
  private HeldOut() {}

  /**
   * Passes batches to {@code consumer} in which every token but the first is a target exactly once.
   * The last batches may be smaller and shorter.
   *
   * @param batch the most sequences in a batch
   * @param length the most tokens in a sequence
   * @param limit the most batches to pass
   * @throws DataException if that part has fewer than two tokens
   */
  public static void read(
      TokenFile file, int batch, int length, long limit, Consumer<Batch> consumer) {
    long targets = file.header().validationTokens() - 1;
    if (targets < 1) {
      throw new DataException(
          "there is no text for validation: give more text, or hold out a larger share");
    }
    Tensor tokens = file.validation();
    long start = 0;
    for (long given = 0; start < targets && given < limit; given++) {
      long left = targets - start;
      long rows = Math.max(1, Math.min(batch, left / length));
      long columns = Math.min(length, left);
      Tensor inputs = tokens.narrow(0, start, rows * columns).view(rows, columns);
      Tensor outputs = tokens.narrow(0, start + 1, rows * columns).view(rows, columns);
      consumer.accept(new Batch(inputs.to(DType.INT64), outputs.to(DType.INT64)));
      start += rows * columns;
    }
  }
}
