package dev.jformer.mixer.linear;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.tensor.Tensor;
import java.util.stream.Stream;

/**
 * The decoding state of a mixer that stores sums over the tokens seen, of constant size. It can
 * drop all tokens, but not some: a sum does not remember its parts.
 */
final class RunningSums implements TokenMixer.State {
  /** A state that stays empty, for whole sequences. */
  static final RunningSums NONE = new RunningSums(0, 1);

  private final RunningSum[] sums;
  private long batch;
  private long length;

  /**
   * Creates empty sums.
   *
   * @param count how many
   * @param batch number of sequences
   */
  RunningSums(int count, long batch) {
    this.batch = batch;
    sums = Stream.generate(RunningSum::new).limit(count).toArray(RunningSum[]::new);
  }

  /** One of the sums, whose meaning the mixer defines. */
  RunningSum get(int sum) {
    return this == NONE ? RunningSum.NONE : sums[sum];
  }

  /** Counts tokens that were added to the sums. */
  void advance(long tokens) {
    length += tokens;
  }

  @Override
  public long length() {
    return length;
  }

  @Override
  public void truncate(long length) {
    if (length == 0) {
      Stream.of(sums).forEach(RunningSum::clear);
      this.length = 0;
    } else if (length < 0) {
      throw new IllegalArgumentException("cannot keep " + length + " tokens: expected at least 0");
    } else if (length < this.length) {
      throw new UnsupportedOperationException(
          "sums over "
              + this.length
              + " tokens cannot drop those after the first "
              + length
              + ": start again from none (0)");
    }
  }

  @Override
  public void select(Tensor rows) {
    Stream.of(sums).forEach(sum -> sum.select(batch, rows));
    batch = rows.elements();
  }

  @Override
  public long bytes() {
    return Stream.of(sums).mapToLong(RunningSum::bytes).sum();
  }

  @Override
  public void close() {
    Stream.of(sums).forEach(RunningSum::close);
  }
}
