package dev.jformer.mixer.linear;

import dev.jformer.mixer.TokenMixer;
import java.util.stream.Stream;

/** The decoding state of a mixer that stores sums over the tokens seen, of constant size. */
final class RunningSums implements TokenMixer.State {
  /** A state that stays empty, for whole sequences. */
  static final RunningSums NONE = new RunningSums(0);

  private final RunningSum[] sums;
  private long length;

  RunningSums(int count) {
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
  public long bytes() {
    return Stream.of(sums).mapToLong(RunningSum::bytes).sum();
  }

  @Override
  public void close() {
    Stream.of(sums).forEach(RunningSum::close);
  }
}
