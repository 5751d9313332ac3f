package dev.jformer.data.algorithm;

import dev.jformer.config.Checks;
import dev.jformer.data.DataException;
import dev.jformer.data.Epochs;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.zip.CRC32;

/**
 * Examples of a problem to train on and to evaluate on. No prompt is in both parts: a tenth of all
 * prompts, chosen by a checksum, is held out. An example depends only on the seed and its number.
 */
public final class Examples {
  private static final int PARTS = 10;

  /** Draws in vain before a problem is taken to have too few prompts. */
  private static final int PATIENCE = 100_000;

  private final Problem problem;
  private final long seed;

  /** Examples to train on; empty for an endless stream. */
  private final List<Example> fixed;

  private final Epochs epochs;
  private final int batch;

  /**
   * Creates the examples.
   *
   * @param samples number of different examples to train on, again and again; 0 for new ones always
   * @param batch examples in a batch
   * @throws DataException if the problem has fewer different prompts than {@code samples}
   */
  public Examples(Problem problem, int samples, int batch, long seed) {
    Checks.atLeast("samples", samples, 0);
    this.problem = problem;
    this.seed = seed;
    this.fixed = different(samples, random(-1), false);
    this.epochs = samples == 0 ? null : new Epochs(samples, batch, seed);
    this.batch = epochs == null ? batch : epochs.batch();
  }

  /** The number of examples in a batch. */
  public int batch() {
    return batch;
  }

  /** The number of different examples to train on; 0 for an endless stream. */
  public int samples() {
    return fixed.size();
  }

  /** A batch to train on; batches count from 0. */
  public List<Example> training(long index) {
    List<Example> chosen = new ArrayList<>();
    if (epochs != null) {
      for (int number : epochs.chosen(index)) {
        chosen.add(fixed.get(number));
      }
      return chosen;
    }
    RandomGenerator random = random(index);
    while (chosen.size() < batch) {
      chosen.add(draw(random, false));
    }
    return chosen;
  }

  /**
   * Different examples to evaluate on.
   *
   * @throws DataException if the problem has too few prompts
   */
  public List<Example> heldOut(int count) {
    return different(count, random(-2), true);
  }

  private List<Example> different(int count, RandomGenerator random, boolean heldOut) {
    List<Example> found = new ArrayList<>();
    Set<List<String>> prompts = new HashSet<>();
    int inVain = 0;
    while (found.size() < count) {
      Example example = draw(random, heldOut);
      if (prompts.add(example.prompt())) {
        found.add(example);
        inVain = 0;
      } else if (++inVain > PATIENCE) {
        throw new DataException(
            "the problem has about "
                + found.size()
                + " different prompts "
                + (heldOut ? "that are held out" : "to train on")
                + ", but "
                + count
                + " are wanted: ask for fewer, or make the problem larger");
      }
    }
    return found;
  }

  /** A generator for each stream; those of neighbouring streams or seeds have nothing in common. */
  private RandomGenerator random(long stream) {
    long ofSeed = new SplittableRandom(seed).nextLong();
    return new SplittableRandom(31 * ofSeed + new SplittableRandom(stream).nextLong());
  }

  private Example draw(RandomGenerator random, boolean heldOut) {
    for (int inVain = 0; inVain < PATIENCE; inVain++) {
      Example example = problem.draw(random);
      if (isHeldOut(example) == heldOut) {
        return example;
      }
    }
    throw new DataException(
        "the problem has too few different prompts to hold some out: make it larger");
  }

  private static boolean isHeldOut(Example example) {
    CRC32 sum = new CRC32();
    sum.update(String.join(" ", example.prompt()).getBytes(StandardCharsets.UTF_8));
    return sum.getValue() % PARTS == 0;
  }
}
