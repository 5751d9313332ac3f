package dev.jformer.incontext;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class OneLayerDecoderTest {
  private static List<CooccurrenceSource.Sequence> batch(
      CooccurrenceSource source, int count, SplittableRandom random) {
    return Stream.generate(() -> source.draw(random)).limit(count).toList();
  }

  /** Written-out gradients are the slopes of the loss, for all weights, after some updates. */
  @Test
  void gradientsAreTheSlopesOfTheLoss() {
    CooccurrenceSource source = new CooccurrenceSource(2, 2, 2, 2, 9);
    SplittableRandom random = new SplittableRandom(5);
    OneLayerDecoder model = new OneLayerDecoder(source.tokens(), 0.7, 0.5, 0.9);
    for (int i = 0; i < 20; i++) {
      model.learn(batch(source, 8, random));
    }
    List<CooccurrenceSource.Sequence> batch = batch(source, 8, random);
    int tokens = source.tokens();
    double[][] attention = new double[tokens][tokens];
    double[][] decoder = new double[tokens][tokens];
    assertEquals(model.loss(batch), model.gradients(batch, attention, decoder), 1e-12);
    double h = 1e-5;
    for (boolean isDecoder : new boolean[] {false, true}) {
      for (int row = 0; row < tokens; row++) {
        for (int column = 0; column < tokens; column++) {
          model.shift(isDecoder, row, column, h);
          double high = model.loss(batch);
          model.shift(isDecoder, row, column, -2 * h);
          double low = model.loss(batch);
          model.shift(isDecoder, row, column, h);
          double found = (isDecoder ? decoder : attention)[row][column];
          assertEquals((high - low) / (2 * h), found, 1e-7);
        }
      }
    }
  }

  @Test
  void tokensStandInTheSharesOfTheirDistribution() {
    CooccurrenceSource source = new CooccurrenceSource(2, 1, 3, 4, 500);
    SplittableRandom random = new SplittableRandom(1);
    double[][] counts = new double[2][source.tokens()];
    for (CooccurrenceSource.Sequence sequence : batch(source, 400, random)) {
      int next = sequence.next() - 2;
      assertEquals(sequence.last(), next);
      for (int t = 0; t < source.tokens(); t++) {
        counts[next][t] += sequence.counts()[t];
      }
    }
    for (int next = 0; next < 2; next++) {
      double sum = Arrays.stream(counts[next]).sum();
      double[] expected = source.distribution(next);
      assertEquals(1, Arrays.stream(expected).sum(), 1e-12);
      for (int t = 0; t < source.tokens(); t++) {
        assertEquals(expected[t], counts[next][t] / sum, 0.005);
      }
    }
  }

  /**
   * Distinct tokens gain attention in the order in which they are frequent; common ones lose it.
   */
  @Test
  void attendsToDistinctTokensInTheOrderOfTheirFrequency() {
    CooccurrenceSource source = new CooccurrenceSource();
    SplittableRandom random = new SplittableRandom(3);
    OneLayerDecoder model = new OneLayerDecoder(source.tokens(), 1, 1, 0.9);
    for (int i = 0; i < 60; i++) {
      model.learn(batch(source, 64, random));
    }
    double[] logits = model.logits(0);
    int[] order =
        IntStream.range(0, 10)
            .boxed()
            .sorted((a, b) -> Double.compare(gain(source, logits, a), gain(source, logits, b)))
            .mapToInt(i -> i)
            .toArray();
    int swapped = 0;
    for (int i = 0; i < 10; i++) {
      swapped += Math.abs(order[i] - i);
    }
    assertTrue(swapped <= 4, Arrays.toString(order));
    for (int i = 0; i < 10; i++) {
      assertTrue(logits[source.firstCommon() + i] < 0, "common token " + i);
    }
    assertTrue(gain(source, logits, 9) > 0);
  }

  private static double gain(CooccurrenceSource source, double[] logits, int index) {
    return logits[source.distinctToken(0, index)];
  }

  @Test
  void refusesWhatMakesNoSense() {
    assertThrows(IllegalArgumentException.class, () -> new CooccurrenceSource(0, 1, 1, 1, 1));
    assertThrows(IllegalArgumentException.class, () -> new OneLayerDecoder(3, 0, 1, 0));
    assertThrows(IllegalArgumentException.class, () -> new OneLayerDecoder(3, 1, 1, 1));
  }
}
