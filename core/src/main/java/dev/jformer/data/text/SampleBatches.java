package dev.jformer.data.text;

import dev.jformer.data.DataException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.ToIntFunction;

/**
 * Batches of samples of similar length. Each sample is in one batch of an epoch. The samples are
 * shuffled, those of some batches sorted by their length, cut into batches, and the batches
 * shuffled. Which samples a batch holds depends only on the seed and the batch's number.
 *
 * @param <S> the type of the samples
 */
public final class SampleBatches<S> {
  /** So many batches are sorted by length together. */
  private static final int SORTED = 32;

  private final List<S> samples;
  private final ToIntFunction<S> length;
  private final int size;
  private final long seed;
  private long epoch = -1;
  private List<List<S>> batches;

  /**
   * Creates batches.
   *
   * @param length of a sample
   * @param size samples in a batch; the last of an epoch may have fewer
   * @throws DataException if there is no sample
   */
  public SampleBatches(List<S> samples, ToIntFunction<S> length, int size, long seed) {
    if (samples.isEmpty()) {
      throw new DataException("there are no samples to train on: expected at least one");
    }
    this.samples = List.copyOf(samples);
    this.length = length;
    this.size = size;
    this.seed = seed;
  }

  /** The number of samples. */
  public int size() {
    return samples.size();
  }

  /** Batches in an epoch. */
  public int perEpoch() {
    return (samples.size() + size - 1) / size;
  }

  /** The samples of a batch; batches count from 0. */
  public List<S> batch(long number) {
    long wanted = number / perEpoch();
    if (wanted != epoch) {
      batches = shuffled(new SplittableRandom(seed * 0x9E3779B97F4A7C15L + wanted));
      epoch = wanted;
    }
    return batches.get((int) (number % perEpoch()));
  }

  private List<List<S>> shuffled(SplittableRandom random) {
    List<S> order = new ArrayList<>(samples);
    shuffle(order, random);
    List<List<S>> cut = new ArrayList<>();
    for (int from = 0; from < order.size(); from += size * SORTED) {
      List<S> some = order.subList(from, Math.min(order.size(), from + size * SORTED));
      some.sort(Comparator.comparingInt(length));
      for (int i = 0; i < some.size(); i += size) {
        cut.add(List.copyOf(some.subList(i, Math.min(some.size(), i + size))));
      }
    }
    shuffle(cut, random);
    return cut;
  }

  private static <T> void shuffle(List<T> list, SplittableRandom random) {
    for (int i = list.size() - 1; i > 0; i--) {
      int other = random.nextInt(i + 1);
      T moved = list.get(i);
      list.set(i, list.get(other));
      list.set(other, moved);
    }
  }
}
