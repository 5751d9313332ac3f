package dev.jformer.data.incontext;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.incontext.BurstySequences.Batch;
import dev.jformer.data.incontext.BurstySequences.Kind;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Sequences of items: counts of classes, their probabilities, and what tells a label. */
class BurstySequencesTest {
  private static final int COUNT = 2000;
  private static final int LENGTH = BurstySequences.CONTEXT + 1;

  private static Batch draw(BurstySequences sequences, Kind kind) {
    return sequences.draw(kind, COUNT, new SplittableRandom(4));
  }

  /** How often the asked class is among the eight. */
  private static int shown(Batch batch, int row) {
    int shown = 0;
    for (int t = 0; t < BurstySequences.CONTEXT; t++) {
      int asked = batch.classes()[row * LENGTH + BurstySequences.CONTEXT];
      shown += batch.classes()[row * LENGTH + t] == asked ? 1 : 0;
    }
    return shown;
  }

  @Test
  void burstySequencesShowTheAskedClassThreeTimes() {
    Batch always = draw(new BurstySequences(500, 10, 4, 0.1, 1, 0, 7), Kind.TRAINING);
    for (int row = 0; row < COUNT; row++) {
      assertEquals(3, shown(always, row));
      Map<Integer, Integer> counts = new HashMap<>();
      for (int t = 0; t < BurstySequences.CONTEXT; t++) {
        counts.merge(always.classes()[row * LENGTH + t], 1, Integer::sum);
      }
      assertEquals(2, counts.values().stream().filter(count -> count == 3).count());
    }
    Batch half = draw(new BurstySequences(500, 10, 4, 0.1, 0.5, 0, 7), Kind.TRAINING);
    int bursts = 0;
    for (int row = 0; row < COUNT; row++) {
      bursts += shown(half, row) == 3 ? 1 : 0;
    }
    assertEquals(0.5, (double) bursts / COUNT, 0.05);
  }

  /** The asked item's class is not in the context; labels belong to classes. */
  @Test
  void onlyMemoryTellsTheLabelInWeights() {
    BurstySequences sequences = new BurstySequences(50, 6, 4, 0.1, 1, 0, 7);
    Batch batch = draw(sequences, Kind.IN_WEIGHTS);
    for (int row = 0; row < COUNT; row++) {
      assertEquals(0, shown(batch, row));
    }
    for (int i = 0; i < batch.classes().length; i++) {
      assertEquals(sequences.label(batch.classes()[i]), batch.labels()[i]);
    }
    int[] labels = new int[6];
    for (int i = 0; i < 50; i++) {
      labels[sequences.label(i)]++;
    }
    for (int count : labels) {
      assertTrue(count > 0, "each label occurs");
    }
  }

  /** Nearest items of the context have the label; each label is as frequent. */
  @Test
  void onlyTheContextTellsLabelsOfNewClasses() {
    Batch batch = draw(new BurstySequences(50, 6, 32, 0.1, 1, 0, 7), Kind.IN_CONTEXT);
    long ones = 0;
    for (int row = 0; row < COUNT; row++) {
      int last = row * LENGTH + BurstySequences.CONTEXT;
      int best = row * LENGTH;
      long sum = 0;
      for (int t = row * LENGTH; t < last; t++) {
        best = distance(batch, t, last) < distance(batch, best, last) ? t : best;
        sum += batch.labels()[t];
      }
      assertEquals(4, sum);
      assertEquals(batch.labels()[best], batch.labels()[last]);
      ones += batch.labels()[last];
    }
    assertEquals(0.5, (double) ones / COUNT, 0.05);
  }

  private static double distance(Batch batch, int first, int second) {
    double sum = 0;
    for (int i = 0; i < 32; i++) {
      sum += Math.pow(batch.items()[first * 32 + i] - batch.items()[second * 32 + i], 2);
    }
    return sum;
  }

  @Test
  void probabilitiesFallWithTheRank() {
    for (double exponent : new double[] {0, 1, 2}) {
      BurstySequences sequences = new BurstySequences(5, 3, 2, 0.1, 0, exponent, 7);
      int[] counts = new int[5];
      for (int each : draw(sequences, Kind.TRAINING).classes()) {
        counts[each]++;
      }
      double total = 0;
      for (int i = 0; i < 5; i++) {
        total += Math.pow(i + 1, -exponent);
      }
      for (int i = 0; i < 5; i++) {
        double expected = Math.pow(i + 1, -exponent) / total;
        assertEquals(expected, counts[i] / (double) (COUNT * LENGTH), 0.015);
      }
    }
  }

  /** Items have norm 1 on average; the noise's share is as configured; means last. */
  @Test
  void itemsAreCloudsAroundLastingMeans() {
    BurstySequences sequences = new BurstySequences(4, 3, 64, 0.5, 0, 0, 7);
    Batch batch = draw(sequences, Kind.TRAINING);
    double[][] sums = new double[4][64];
    int[] counts = new int[4];
    double square = 0;
    for (int i = 0; i < batch.classes().length; i++) {
      counts[batch.classes()[i]]++;
      for (int j = 0; j < 64; j++) {
        double value = batch.items()[i * 64 + j];
        sums[batch.classes()[i]][j] += value;
        square += value * value / batch.classes().length;
      }
    }
    assertEquals(1, square, 0.25);
    double between = 0;
    for (int k = 0; k < 4; k++) {
      for (double sum : sums[k]) {
        between += Math.pow(sum / counts[k], 2) / 4;
      }
    }
    assertEquals(0.25 / 1.25, square - between, 0.02, "variance within classes");
    assertArrayEquals(batch.items(), draw(sequences, Kind.TRAINING).items());
  }

  @Test
  void valuesThatCannotBeAreRefused() {
    assertThrows(
        IllegalArgumentException.class, () -> new BurstySequences(3, 2, 4, 0.1, 0.5, 0, 1));
    assertThrows(
        IllegalArgumentException.class, () -> new BurstySequences(8, 2, 4, 0.1, 1.5, 0, 1));
    assertThrows(
        IllegalArgumentException.class, () -> new BurstySequences(8, 2, 4, 0.1, 0.5, -1, 1));
  }
}
