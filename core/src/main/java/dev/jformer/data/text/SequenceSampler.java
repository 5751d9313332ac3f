package dev.jformer.data.text;

import dev.jformer.data.DataException;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.util.SplittableRandom;

/** Draws random sequences from the training part of a token file. */
public final class SequenceSampler {
  private final TokenFile file;
  private final int batch;
  private final int length;
  private final long seed;

  /**
   * Creates a sampler of sequences of {@code length} tokens, {@code batch} at a time.
   *
   * @throws DataException if the training part is shorter than one sequence and its targets
   */
  public SequenceSampler(TokenFile file, int batch, int length, long seed) {
    if (file.header().trainTokens() < length + 1L) {
      throw new DataException(
          "the training text has "
              + file.header().trainTokens()
              + " tokens: sequences of "
              + length
              + " need at least "
              + (length + 1)
              + "; give more text or a smaller length");
    }
    this.file = file;
    this.batch = batch;
    this.length = length;
    this.seed = seed;
  }

  /** The batch with this number; it depends only on the seed and the number. */
  public Batch batch(long number) {
    SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + number);
    Tensor tokens = file.train();
    long starts = file.header().trainTokens() - length;
    Tensor[] windows = new Tensor[batch];
    for (int i = 0; i < batch; i++) {
      windows[i] = tokens.narrow(0, random.nextLong(starts), length + 1L);
    }
    return Batch.of(Tensor.stack(0, windows).to(DType.INT64));
  }
}
