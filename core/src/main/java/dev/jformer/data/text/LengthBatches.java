package dev.jformer.data.text;

import dev.jformer.data.DataException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Batches of translation pairs of similar length with about equally many tokens; each pair is in
 * one batch of an epoch. Pairs are sorted by the lengths of target and source, those of equal
 * lengths in an order drawn anew for each epoch; then cut into batches, and the batches shuffled.
 * Since the sorted lengths are the same in every epoch, so is the number of batches. Which pairs a
 * batch holds depends only on the seed and the batch's number.
 */
public final class LengthBatches {
  private final List<TokenPair> pairs;
  private final long seed;

  /** The first sorted pair of each batch of an epoch, and at the end the number of pairs. */
  private final int[] starts;

  private long epoch = -1;
  private Integer[] order;
  private int[] batches;

  /**
   * Creates batches of pairs.
   *
   * @param tokens the most tokens of a batch, with padding: its pairs times the longest text in it;
   *     a longer pair is a batch of its own
   * @param most the most pairs of a batch
   * @throws DataException if there is no pair
   */
  public LengthBatches(List<TokenPair> pairs, int tokens, int most, long seed) {
    if (pairs.isEmpty()) {
      throw new DataException(
          "there are no training examples: expected at least one pair of texts");
    }
    this.pairs = pairs;
    this.seed = seed;
    this.starts = cut(sorted(new SplittableRandom(0)), tokens, most);
  }

  private int[] cut(Integer[] sorted, int tokens, int most) {
    List<Integer> cuts = new ArrayList<>();
    int start = 0;
    int longest = 0;
    cuts.add(0);
    for (int i = 0; i < sorted.length; i++) {
      int with = Math.max(longest, pairs.get(sorted[i]).longer());
      int count = i - start + 1;
      if (count > 1 && (count > most || (long) count * with > tokens)) {
        cuts.add(i);
        start = i;
        longest = pairs.get(sorted[i]).longer();
      } else {
        longest = with;
      }
    }
    cuts.add(sorted.length);
    return cuts.stream().mapToInt(i -> i).toArray();
  }

  /** Batches in an epoch. */
  public int perEpoch() {
    return starts.length - 1;
  }

  /** The pairs of a batch; batches count from 0. */
  public List<TokenPair> chosen(long number) {
    shuffle(number / perEpoch());
    int batch = batches[(int) (number % perEpoch())];
    return Arrays.stream(order, starts[batch], starts[batch + 1])
        .<TokenPair>map(pairs::get)
        .toList();
  }

  private void shuffle(long wanted) {
    if (wanted == epoch) {
      return;
    }
    SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + wanted);
    order = sorted(random);
    batches = permutation(perEpoch(), random);
    epoch = wanted;
  }

  /** The indices of the pairs, the shortest first. */
  private Integer[] sorted(SplittableRandom random) {
    Integer[] numbers =
        Arrays.stream(permutation(pairs.size(), random)).boxed().toArray(Integer[]::new);
    Arrays.sort(
        numbers,
        Comparator.<Integer>comparingInt(i -> pairs.get(i).target().length)
            .thenComparingInt(i -> pairs.get(i).source().length));
    return numbers;
  }

  private static int[] permutation(int count, SplittableRandom random) {
    int[] drawn = new int[count];
    for (int i = 0; i < count; i++) {
      int other = random.nextInt(i + 1);
      drawn[i] = drawn[other];
      drawn[other] = i;
    }
    return drawn;
  }
}
