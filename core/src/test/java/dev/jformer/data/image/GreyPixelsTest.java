package dev.jformer.data.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class GreyPixelsTest {
  @Test
  void greysAreRoundedToTheNearestLevel() {
    int[] values = {0, 15, 31, 47, 127, 128, 239, 255};
    Tensor grey = Tensor.of(values).to(dev.jformer.tensor.DType.FLOAT32).div(255).view(1, 1, 2, 4);
    Tensor images = grey.expand(1, 3, 2, 4);
    assertArrayEquals(new int[] {0, 1, 2, 3, 8, 8, 15, 16}, GreyPixels.of(images, 17)[0]);
    assertArrayEquals(new int[] {0, 0, 0, 0, 0, 1, 1, 1}, GreyPixels.of(images, 2)[0]);
  }

  @Test
  void colorsCountAsInJpeg() {
    Tensor red = Tensor.of(new float[] {1f, 0f, 0f}, 1, 3, 1, 1);
    Tensor green = Tensor.of(new float[] {0f, 1f, 0f}, 1, 3, 1, 1);
    Tensor blue = Tensor.of(new float[] {0f, 0f, 1f}, 1, 3, 1, 1);
    int[][] rows = GreyPixels.of(Tensor.cat(0, red, green, blue), 256);
    assertArrayEquals(new int[][] {{76}, {150}, {29}}, rows);
  }
}
