package dev.jformer.model.inpaint;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class PatchSamplerTest {
  private static List<SplittableRandom> draws(int count) {
    List<SplittableRandom> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(new SplittableRandom(i + 1));
    }
    return all;
  }

  /**
   * Four patches of one number, codes worth 10, 20 and 30. The logit of code k at patch t is that
   * of the table, and code 0 of patch t gets a tenth of what stands at patch t - 1 besides.
   *
   * <pre>
   * patches     0 (visible, 7)   1          2          3
   * logits      9 9 9            1 0 0      0 2 1      0 0 1.5
   * </pre>
   *
   * By hand: patch 1 has 1 + 0.7 = 1.7, patch 2 has 2, patch 3 has 1.5; so patch 2 is first and
   * takes code 1, worth 20. Then patch 3 has 0 + 2 = 2 by code 0, more than 1.7 of patch 1: it
   * takes code 0. Patch 1 is last, with code 0.
   */
  @Test
  void theOrderAndTheCodesAreThoseWorkedOutByHand() {
    float[] table = {9, 9, 9, 1, 0, 0, 0, 2, 1, 0, 0, 1.5f};
    List<float[]> read = new ArrayList<>();
    PatchSampler.Predictor predictor =
        features -> {
          float[] now = features.contiguous().toFloats();
          read.add(now);
          float[] logits = table.clone();
          for (int t = 1; t < 4; t++) {
            logits[3 * t] += 0.1f * now[t - 1];
          }
          return Tensor.of(logits, 1, 4, 3);
        };
    Tensor features = Tensor.of(new float[] {7, 0, 0, 0}, 1, 4, 1);
    Tensor vectors = Tensor.of(new float[] {10, 20, 30}, 3, 1);
    List<Long> passes = new ArrayList<>();
    PatchSampler.Filled filled =
        new PatchSampler(1, 1)
            .fill(
                predictor,
                features,
                List.of(new boolean[] {false, true, true, true}),
                vectors,
                draws(1),
                passes::add);
    assertEquals(List.of(2, 3, 1), filled.order().get(0));
    assertArrayEquals(new int[] {-1, 0, 1, 0}, filled.codes().get(0));
    assertArrayEquals(new float[] {7, 0, 0, 0}, read.get(0));
    assertArrayEquals(new float[] {7, 0, 20, 0}, read.get(1));
    assertArrayEquals(new float[] {7, 0, 20, 10}, read.get(2));
    assertEquals(List.of(1L, 2L, 3L), passes);
    assertArrayEquals(new float[] {7, 0, 0, 0}, features.toFloats(), "stays as it was");
  }

  /** Logits 2, 1, 0 and -1: with top 2, the shares are those of a softmax over 2 and 1. */
  @Test
  void codesAreDrawnFromTheMostProbableOnes() {
    float[] scores = {2, 0, 1, -1};
    PatchSampler.Predictor predictor =
        features -> Tensor.of(scores, 1, 1, 4).expand(features.size(0), 1, 4).contiguous();
    for (double temperature : new double[] {1, 2}) {
      int count = 4000;
      List<boolean[]> masks = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        masks.add(new boolean[] {true});
      }
      PatchSampler.Filled filled =
          new PatchSampler(2, temperature)
              .fill(
                  predictor,
                  Tensor.zeros(count, 1, 1),
                  masks,
                  Tensor.zeros(4, 1),
                  draws(count),
                  done -> {});
      int[] found = new int[4];
      filled.codes().forEach(codes -> found[codes[0]]++);
      assertEquals(0, found[1] + found[3]);
      double expected = 1 / (1 + Math.exp(-1 / temperature));
      double deviation = Math.sqrt(expected * (1 - expected) / count);
      assertEquals(expected, (double) found[0] / count, 4 * deviation);
    }
  }

  /** Images with more hidden patches go on when others are done; each is filled as if alone. */
  @Test
  void imagesWithOtherMasksAreFilledSideBySide() {
    Tensor weights = Tensor.randn(6, 5);
    Tensor places = Tensor.randn(1, 7, 5);
    PatchSampler.Predictor predictor =
        f -> {
          Tensor mean = f.mean(1, true).add(f);
          return mean.matmul(weights).add(places);
        };
    Tensor features = Tensor.randn(3, 7, 6);
    Tensor vectors = Tensor.randn(5, 6);
    List<boolean[]> masks =
        List.of(
            new boolean[] {true, true, true, true, true, true, true},
            new boolean[7],
            new boolean[] {false, true, false, false, true, false, false});
    PatchSampler sampler = new PatchSampler(3, 1);
    PatchSampler.Filled all =
        sampler.fill(predictor, features, masks, vectors, draws(3), done -> {});
    assertEquals(7, all.order().get(0).size());
    assertTrue(all.order().get(1).isEmpty());
    assertEquals(2, all.order().get(2).size());
    for (int i = 0; i < 3; i++) {
      PatchSampler.Filled one =
          sampler.fill(
              predictor,
              features.narrow(0, i, 1),
              masks.subList(i, i + 1),
              vectors,
              draws(3).subList(i, i + 1),
              done -> {});
      assertArrayEquals(one.codes().get(0), all.codes().get(i));
      assertEquals(one.order().get(0), all.order().get(i));
    }
    assertThrows(IllegalArgumentException.class, () -> new PatchSampler(0, 1));
    assertThrows(IllegalArgumentException.class, () -> new PatchSampler(1, 0));
  }
}
