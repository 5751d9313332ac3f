package dev.jformer.data;

import java.util.SplittableRandom;

/**
 * Which examples stand in which batch: each once in an epoch, in an order drawn anew for each;
 * those that fill no batch wait for another epoch. A function of the seed and the batch's number.
 */
public final class Epochs {
  private final int count;
  private final int batch;
  private final long seed;
  private long epoch = -1;
  private int[] order;

  /**
   * Epochs of some examples.
   *
   * @param count number of examples
   * @param batch examples in a batch; fewer if there are fewer
   */
  public Epochs(int count, int batch, long seed) {
    if (count < 1) {
      throw new DataException("there is nothing to learn from: expected at least one example");
    }
    this.count = count;
    this.batch = Math.min(batch, count);
    this.seed = seed;
  }

  /** Examples in a batch. */
  public int batch() {
    return batch;
  }

  /** Batches in an epoch. */
  public int perEpoch() {
    return count / batch;
  }

  /** The numbers of the examples in a batch, from 0. */
  public int[] chosen(long number) {
    shuffle(number / perEpoch());
    int[] chosen = new int[batch];
    System.arraycopy(order, (int) (number % perEpoch()) * batch, chosen, 0, batch);
    return chosen;
  }

  private void shuffle(long wanted) {
    if (wanted == epoch) {
      return;
    }
    SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + wanted);
    int[] drawn = new int[count];
    for (int i = 0; i < drawn.length; i++) {
      int other = random.nextInt(i + 1);
      drawn[i] = drawn[other];
      drawn[other] = i;
    }
    order = drawn;
    epoch = wanted;
  }
}
