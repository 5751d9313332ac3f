package dev.jformer.data;

import java.util.SplittableRandom;

/**
 * Assigns examples to batches: each example is used at most once in an epoch, in an order drawn
 * anew for each epoch; the rest that fills no batch is left out of that epoch. The assignment
 * depends only on the seed and the batch's number.
 */
public final class Epochs {
  private final int count;
  private final int batch;
  private final long seed;
  private long epoch = -1;
  private int[] order;

  /**
   * Creates the epochs of a set of examples.
   *
   * @param count number of examples
   * @param batch examples in a batch; fewer if there are fewer
   */
  public Epochs(int count, int batch, long seed) {
    if (count < 1) {
      throw new DataException("there are no training examples: expected at least one");
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

  /** The indices of the examples in a batch; batches count from 0. */
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
