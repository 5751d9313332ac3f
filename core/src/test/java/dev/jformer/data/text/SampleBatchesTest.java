package dev.jformer.data.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.testing.Scoped;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class SampleBatchesTest {
  private static List<Integer> lengths(int count) {
    return new SplittableRandom(1).ints(count, 1, 400).boxed().toList();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 63, 64, 65, 127, 128, 129, 200, 700})
  void eachSampleIsInOneBatchOfAnEpoch(int count) {
    List<Integer> samples = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      samples.add(i);
    }
    SampleBatches<Integer> batches = new SampleBatches<>(samples, i -> i % 50, 4, 7);
    for (int epoch = 0; epoch < 2; epoch++) {
      List<Integer> seen = new ArrayList<>();
      for (int i = 0; i < batches.perEpoch(); i++) {
        seen.addAll(batches.batch((long) epoch * batches.perEpoch() + i));
      }
      assertEquals(samples, seen.stream().sorted().toList());
    }
  }

  @Test
  void aBatchIsAFunctionOfItsNumberAndHasSimilarLengths() {
    List<Integer> samples = lengths(1000);
    SampleBatches<Integer> one = new SampleBatches<>(samples, i -> i, 4, 7);
    SampleBatches<Integer> two = new SampleBatches<>(samples, i -> i, 4, 7);
    List<Integer> late = two.batch(700);
    long tokens = 0;
    long padded = 0;
    for (int i = 0; i < one.perEpoch(); i++) {
      List<Integer> batch = one.batch(i);
      tokens += batch.stream().mapToInt(n -> n).sum();
      padded += batch.stream().mapToInt(n -> n).max().orElseThrow() * (long) batch.size();
    }
    assertEquals(late, one.batch(700));
    assertFalse(one.batch(0).equals(new SampleBatches<>(samples, i -> i, 4, 8).batch(0)));
    double share = 1 - (double) tokens / padded;
    assertTrue(share < 0.05, share + " of a batch is padding");
  }

  @Test
  void rowsHaveTargetsWhereTokensAreLearned() {
    SampleRows rows =
        SampleRows.of(
            List.of(
                EncodedSample.of(new int[] {5, 6}, new int[] {7, 8}),
                EncodedSample.of(new int[] {}, new int[] {9, 3})),
            0);
    assertArrayEquals(new long[] {5, 6, 7, 9, 3, 0}, rows.ids().toLongs());
    assertArrayEquals(new long[] {1, 2, 3}, rows.positions().toLongs());
    assertArrayEquals(new long[] {7, 8, 3}, rows.targets().toLongs());
    assertArrayEquals(new int[] {2, 1}, rows.rows());
    assertArrayEquals(
        new long[] {0, 1, 1, 1, 0, 0}, rows.counted().to(dev.jformer.tensor.DType.INT64).toLongs());
    assertEquals(3, EncodedSample.of(new int[] {5}, new int[] {7, 8, 9}).targets());
    assertEquals(1, EncodedSample.of(new int[] {5}, new int[] {7, 8, 9}).cut(2).targets());
  }
}
