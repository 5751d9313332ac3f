package dev.jformer.model.vision;

import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(Scoped.class)
class PatchesTest {
  @ParameterizedTest
  @CsvSource({"6,6,3,2", "4,10,2,3", "8,4,4,1", "3,5,1,1"})
  void patchesAreCutRowByRowAndPutTogetherAgain(int height, int width, int side, int channels) {
    Patches patches = new Patches(height, width, side, channels);
    Tensor images =
        Tensor.arange(0, 2L * channels * height * width)
            .to(DType.FLOAT64)
            .view(2, channels, height, width);
    Tensor cut = patches.cut(images);
    int columns = width / side;
    assertEquals(height / side * columns, patches.count());
    for (int t = 0; t < patches.count(); t++) {
      double[] second = cut.select(0, 1).select(0, t).toDoubles();
      for (int c = 0; c < channels; c++) {
        for (int y = 0; y < side; y++) {
          for (int x = 0; x < side; x++) {
            int row = t / columns * side + y;
            int column = t % columns * side + x;
            double expected = ((channels + c) * height + row) * width + column;
            assertEquals(expected, second[(c * side + y) * side + x]);
          }
        }
      }
    }
    assertSame(images, patches.join(cut).contiguous(), "joined");
  }
}
