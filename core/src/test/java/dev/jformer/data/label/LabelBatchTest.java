package dev.jformer.data.label;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.jformer.data.algorithm.Example;
import dev.jformer.data.algorithm.LabellingTask;
import dev.jformer.data.algorithm.TokenLabels;
import dev.jformer.tensor.DType;
import dev.jformer.testing.Scoped;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class LabelBatchTest {
  @Test
  void batchesArePadded() {
    TokenLabels problem = TokenLabels.ofPaper(LabellingTask.SORT);
    MadeSequences made = new MadeSequences(problem, 0, 1, 1, 1);
    LabelledSequence two =
        made.encoded(
            new Example(List.of("<s>", "3", "1", "</s>"), List.of("-", "1", "3", "-"), Map.of()));
    LabelledSequence one =
        made.encoded(new Example(List.of("<s>", "4", "</s>"), List.of("-", "4", "-"), Map.of()));
    LabelBatch batch = LabelBatch.of(List.of(two, one), false);
    assertEquals(3, batch.count());
    assertArrayEquals(new long[] {0, 4, 2, 6, 0, 5, 6, 0}, batch.ids().flatten(0, 1).toLongs());
    assertArrayEquals(
        new long[] {-1, 1, 3, -1, -1, 4, -1, -1}, batch.targets().flatten(0, 1).toLongs());
    assertArrayEquals(
        new float[] {1, 1, 1, 1, 1, 1, 1, 0},
        batch.paddingMask().to(DType.FLOAT32).flatten(0, 1).toFloats());
    assertNull(LabelBatch.of(List.of(one), false).paddingMask());
  }

  @Test
  void wholeSequencesHaveOneLabelEach() {
    LabelBatch batch =
        LabelBatch.of(
            List.of(
                new LabelledSequence(new int[] {5, 6, 7}, new int[] {2}),
                new LabelledSequence(new int[] {8}, new int[] {1})),
            true);
    assertEquals(2, batch.count());
    assertArrayEquals(new long[] {5, 6, 7, 8, 0, 0}, batch.ids().flatten(0, 1).toLongs());
    assertArrayEquals(new long[] {2, 1}, batch.targets().shape().toArray());
    assertArrayEquals(new long[] {2, 1}, batch.targets().flatten(0, 1).toLongs());
  }
}
