package dev.jformer.data.text;

import java.util.Arrays;
import java.util.List;

/**
 * A sample as tokens.
 *
 * @param ids of the tokens
 * @param learned whether each token is to be predicted from those before it
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record EncodedSample(int[] ids, boolean[] learned) {
  /** Checks that both have the same length. */
  public EncodedSample {
    if (ids.length != learned.length) {
      throw new IllegalArgumentException(
          ids.length + " tokens, but " + learned.length + " say whether they are learned");
    }
  }

  /** The number of tokens that are predicted: the first cannot be. */
  public int targets() {
    int count = 0;
    for (int i = 1; i < learned.length; i++) {
      count += learned[i] ? 1 : 0;
    }
    return count;
  }

  /** The first tokens. */
  public EncodedSample cut(int length) {
    return ids.length <= length ? this : part(0, length);
  }

  /** The tokens between two places. */
  public EncodedSample part(int from, int to) {
    return new EncodedSample(
        Arrays.copyOfRange(ids, from, to), Arrays.copyOfRange(learned, from, to));
  }

  /** Joins a part that is only read and one that is learned. */
  public static EncodedSample of(int[] read, int[] learned) {
    int[] ids = Arrays.copyOf(read, read.length + learned.length);
    System.arraycopy(learned, 0, ids, read.length, learned.length);
    boolean[] which = new boolean[ids.length];
    Arrays.fill(which, read.length, ids.length, true);
    return new EncodedSample(ids, which);
  }

  /** This sample with another one behind it. */
  public EncodedSample then(EncodedSample next) {
    return join(List.of(this, next));
  }

  /** Samples one behind the other. */
  public static EncodedSample join(List<EncodedSample> samples) {
    int length = samples.stream().mapToInt(sample -> sample.ids.length).sum();
    int[] all = new int[length];
    boolean[] which = new boolean[length];
    int next = 0;
    for (EncodedSample sample : samples) {
      System.arraycopy(sample.ids, 0, all, next, sample.ids.length);
      System.arraycopy(sample.learned, 0, which, next, sample.ids.length);
      next += sample.ids.length;
    }
    return new EncodedSample(all, which);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof EncodedSample sample
        && Arrays.equals(ids, sample.ids)
        && Arrays.equals(learned, sample.learned);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.hashCode(ids) + Arrays.hashCode(learned);
  }

  @Override
  public String toString() {
    return Arrays.toString(ids);
  }
}
