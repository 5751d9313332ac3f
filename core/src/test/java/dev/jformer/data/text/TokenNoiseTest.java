package dev.jformer.data.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class TokenNoiseTest {
  /** Tokens that noise below 50 does not draw. */
  private static Batch batch() {
    return new Batch(Tensor.full(100, DType.INT64, 40, 50), Tensor.full(200, DType.INT64, 40, 50));
  }

  private static double share(Tensor tokens) {
    return tokens.lt(50).to(DType.FLOAT64).mean().item();
  }

  @Test
  void replacesShares() {
    Batch noisy = new TokenNoise(0.1, 0.4, 50).in(batch(), new SplittableRandom(1));
    assertEquals(0.1, share(noisy.inputs()), 0.03);
    assertEquals(0.4, share(noisy.targets()), 0.05);
    assertEquals(batch().inputs().shape(), noisy.inputs().shape());
    Batch random = new TokenNoise(1, 1, 50).in(batch(), new SplittableRandom(1));
    assertEquals(1, share(random.inputs()));
    assertEquals(
        50, Arrays.stream(random.targets().toLongs()).distinct().count(), "all of the vocabulary");
  }

  @Test
  void followsTheRandomNumbersOnly() {
    TokenNoise noise = new TokenNoise(0.5, 0.5, 50);
    Batch first = noise.in(batch(), new SplittableRandom(7));
    Batch again = noise.in(batch(), new SplittableRandom(7));
    assertArrayEquals(first.inputs().toLongs(), again.inputs().toLongs());
    assertArrayEquals(first.targets().toLongs(), again.targets().toLongs());
  }

  @Test
  void leavesTextWithoutNoiseAsItIs() {
    Batch batch = batch();
    SplittableRandom random = new SplittableRandom(3);
    assertSame(batch.inputs(), new TokenNoise(0, 1, 50).in(batch, random).inputs());
    assertThrows(IllegalArgumentException.class, () -> new TokenNoise(1.5, 0, 50));
    assertThrows(IllegalArgumentException.class, () -> new TokenNoise(0, -1, 50));
    assertThrows(IllegalArgumentException.class, () -> new TokenNoise(0, 0, 0));
  }
}
