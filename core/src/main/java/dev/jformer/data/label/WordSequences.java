package dev.jformer.data.label;

import dev.jformer.data.DataException;
import dev.jformer.data.Epochs;
import dev.jformer.program.LabelScheme;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * Words of texts with their labels, encoded. Batches hold texts of similar length, so that little
 * of them is padding: those of some batches that follow each other are shared out anew by their
 * length.
 */
public final class WordSequences implements LabelledSequences {
  /** How many batches share their texts out. */
  private static final int POOL = 16;

  private final LabelScheme scheme;
  private final WordEncoder encoder;
  private final List<LabelledSequence> training;
  private final List<LabelledSequence> heldOut;
  private final double unknown;
  private final long seed;
  private final Epochs epochs;

  /**
   * Creates the sequences.
   *
   * @param training sequences to learn from, of the scheme's encoder
   * @param heldOut sequences to evaluate on
   * @param unknown share of the words that are taken for unknown in training
   * @param batch sequences in a batch
   * @param seed of the order, and of the words that are taken for unknown
   * @throws DataException if there is nothing to learn from or to evaluate on
   */
  public WordSequences(
      LabelScheme scheme,
      List<LabelledSequence> training,
      List<LabelledSequence> heldOut,
      double unknown,
      int batch,
      long seed) {
    if (training.isEmpty() || heldOut.isEmpty()) {
      throw new DataException(
          "there are "
              + training.size()
              + " texts to learn from and "
              + heldOut.size()
              + " to evaluate on: both need some (data.heldOut names a file of the latter, and"
              + " data.validation says how many are held out if there is none)");
    }
    this.scheme = scheme;
    this.encoder = new WordEncoder(scheme);
    this.training = List.copyOf(training);
    this.heldOut = List.copyOf(heldOut);
    this.unknown = unknown;
    this.seed = seed;
    this.epochs = new Epochs(training.size(), batch, seed);
  }

  @Override
  public LabelScheme scheme() {
    return scheme;
  }

  @Override
  public int batch() {
    return epochs.batch();
  }

  @Override
  public int samples() {
    return training.size();
  }

  @Override
  public List<LabelledSequence> training(long index) {
    RandomGenerator random = random(index);
    return chosen(index).stream()
        .map(sequence -> encoder.withUnknown(sequence, unknown, random))
        .toList();
  }

  /** A generator for each batch; those of neighbouring batches or seeds have nothing in common. */
  private RandomGenerator random(long stream) {
    return new SplittableRandom(
        31 * new SplittableRandom(seed).nextLong() + new SplittableRandom(stream).nextLong());
  }

  private List<LabelledSequence> chosen(long index) {
    long pool = index / POOL;
    List<LabelledSequence> all = new ArrayList<>();
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < POOL; i++) {
      for (int number : epochs.chosen(pool * POOL + i)) {
        all.add(training.get(number));
      }
      order.add(i);
    }
    all.sort(Comparator.comparingInt(sequence -> sequence.tokens().length));
    Collections.shuffle(order, new Random(random(-1 - pool).nextLong()));
    int from = order.get((int) (index % POOL)) * epochs.batch();
    return all.subList(from, from + epochs.batch());
  }

  @Override
  public List<LabelledSequence> heldOut() {
    return heldOut;
  }

  /** The first ones of the training. */
  @Override
  public List<LabelledSequence> typical(int most) {
    return training.subList(0, Math.min(most, training.size()));
  }
}
