package dev.jformer.data.incontext;

import dev.jformer.config.Checks;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Sequences of items and their labels, whose distribution decides what is learned from them: to
 * read labels in the context, or to remember them (<a href="https://arxiv.org/abs/2205.05055">Data
 * Distributional Properties Drive Emergent In-Context Learning in Transformers</a>).
 *
 * <p>Classes have a fixed random label each. A sequence has 8 items with labels and a ninth whose
 * label is asked for. It is <em>bursty</em> with some probability: then three of the eight are of
 * the ninth's class, three of one other class, and two of others. Otherwise all classes are drawn
 * alike.
 *
 * @param classes K, the number of classes
 * @param labels L, the number of labels
 * @param items what items of a class look like
 * @param burstiness the probability that a sequence is bursty
 * @param zipf the exponent with which the probability of a class falls with its rank; 0 for equal
 *     ones
 * @param seed draws labels
 */
public record BurstySequences(
    int classes, int labels, ExemplarClasses items, double burstiness, double zipf, long seed) {
  /** Items with labels in a sequence. */
  public static final int CONTEXT = 8;

  private static final int SHOTS = 3;

  /** Checks the values. */
  public BurstySequences {
    Checks.between("classes", classes, 4, 1_000_000);
    Checks.between("labels", labels, 2, 1_000_000);
    Checks.notNull("items", items);
    Checks.check(
        burstiness >= 0 && burstiness <= 1, "burstiness", burstiness, "a probability from 0 to 1");
    Checks.atLeast("zipf", zipf, 0);
  }

  /** Classes that are clouds of a dimension, as {@link GaussianClasses} are. */
  public BurstySequences(
      int classes,
      int labels,
      int dimension,
      double noise,
      double burstiness,
      double zipf,
      long seed) {
    this(classes, labels, new GaussianClasses(dimension, noise, seed), burstiness, zipf, seed);
  }

  /** The numbers of an item. */
  public int dimension() {
    return items.dimension();
  }

  /** What sequences are evaluated. */
  public enum Kind {
    /** As in training. */
    TRAINING,
    /**
     * Four items each of two new classes, labelled 0 and 1 by chance, and a ninth of one of the
     * two: only the context can tell its label.
     */
    IN_CONTEXT,
    /** The ninth's class is not among the eight: only memory can tell its label. */
    IN_WEIGHTS
  }

  /**
   * A batch of sequences.
   *
   * @param items [B, 9, D]
   * @param labels [B, 9], the last one being asked for
   * @param classes [B, 9]; -1 for new ones
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record Batch(float[] items, long[] labels, int[] classes) {}

  /** The label of a class. */
  public int label(int ofClass) {
    return new SplittableRandom(seed ^ (0x9E3779B97F4A7C15L * (ofClass + 1))).nextInt(labels);
  }

  /** Draws a batch. */
  public Batch draw(Kind kind, int count, SplittableRandom random) {
    double[] cumulative = cumulative();
    int length = CONTEXT + 1;
    Batch batch =
        new Batch(
            new float[count * length * dimension()],
            new long[count * length],
            new int[count * length]);
    for (int row = 0; row < count; row++) {
      int[] chosen = new int[length];
      if (kind == Kind.IN_CONTEXT) {
        newClasses(batch, row, random);
        continue;
      }
      do {
        choose(
            chosen, kind == Kind.TRAINING && random.nextDouble() < burstiness, cumulative, random);
      } while (kind == Kind.IN_WEIGHTS && contains(chosen));
      for (int t = 0; t < length; t++) {
        int place = row * length + t;
        batch.classes[place] = chosen[t];
        batch.labels[place] = label(chosen[t]);
        items.of(chosen[t]).write(batch.items, place, random);
      }
    }
    return batch;
  }

  /** Whether the last class is among the others. */
  private static boolean contains(int[] chosen) {
    for (int t = 0; t < CONTEXT; t++) {
      if (chosen[t] == chosen[CONTEXT]) {
        return true;
      }
    }
    return false;
  }

  private void choose(int[] chosen, boolean bursty, double[] cumulative, SplittableRandom random) {
    for (int t = 0; t < chosen.length; t++) {
      chosen[t] = any(cumulative, random);
    }
    if (!bursty) {
      return;
    }
    int asked = chosen[CONTEXT];
    int other = anyBut(asked, asked, cumulative, random);
    for (int t = 0; t < CONTEXT; t++) {
      if (t < 2 * SHOTS) {
        chosen[t] = t < SHOTS ? asked : other;
      } else {
        chosen[t] = anyBut(asked, other, cumulative, random);
      }
    }
    for (int t = CONTEXT - 1; t > 0; t--) {
      int place = random.nextInt(t + 1);
      int swap = chosen[t];
      chosen[t] = chosen[place];
      chosen[place] = swap;
    }
  }

  private int anyBut(int first, int second, double[] cumulative, SplittableRandom random) {
    int found = first;
    while (found == first || found == second) {
      found = any(cumulative, random);
    }
    return found;
  }

  private void newClasses(Batch batch, int row, SplittableRandom random) {
    int length = CONTEXT + 1;
    List<ExemplarClasses.Items> pair = items.newClasses(random);
    int first = random.nextInt(2);
    int[] sides = new int[length];
    for (int t = 0; t < CONTEXT; t++) {
      sides[t] = t % 2;
    }
    for (int t = CONTEXT - 1; t > 0; t--) {
      int place = random.nextInt(t + 1);
      int swap = sides[t];
      sides[t] = sides[place];
      sides[place] = swap;
    }
    sides[CONTEXT] = random.nextInt(2);
    for (int t = 0; t < length; t++) {
      int place = row * length + t;
      batch.classes[place] = -1;
      batch.labels[place] = sides[t] ^ first;
      pair.get(sides[t]).write(batch.items, place, random);
    }
  }

  /** The probability of each class and those before it. */
  private double[] cumulative() {
    double[] sums = new double[classes];
    double sum = 0;
    for (int i = 0; i < classes; i++) {
      sum += Math.pow(i + 1, -zipf);
      sums[i] = sum;
    }
    return sums;
  }

  private static int any(double[] cumulative, SplittableRandom random) {
    double drawn = random.nextDouble() * cumulative[cumulative.length - 1];
    int found = Arrays.binarySearch(cumulative, drawn);
    return Math.min(cumulative.length - 1, found < 0 ? -found - 1 : found + 1);
  }
}
