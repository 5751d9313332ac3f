package dev.jformer.data.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class ImageGridTest {
  private static BufferedImage drawn(Tensor images, int columns, int scale) throws IOException {
    return ImageIO.read(new ByteArrayInputStream(ImageGrid.png(images, columns, scale)));
  }

  @Test
  void imagesStandSideBySideWithAGap() throws IOException {
    Tensor images = Tensor.rand(5, 3, 4, 4);
    BufferedImage picture = drawn(images, 2, 3);
    assertEquals(2 * 12 + 1, picture.getWidth());
    assertEquals(3 * 12 + 2, picture.getHeight());
    double[] values = images.toDoubles();
    for (int i = 0; i < 5; i++) {
      for (int y = 0; y < 12; y++) {
        for (int x = 0; x < 12; x++) {
          int rgb = 0;
          for (int c = 0; c < 3; c++) {
            rgb = rgb << 8 | (int) Math.rint(255 * values[((i * 3 + c) * 4 + y / 3) * 4 + x / 3]);
          }
          int found = picture.getRGB(i % 2 * 13 + x, i / 2 * 13 + y) & 0xFFFFFF;
          assertEquals(rgb, found, 1.1 * 0x010101, "image " + i);
        }
      }
    }
    assertEquals(0x808080, picture.getRGB(12, 0) & 0xFFFFFF);
    assertEquals(0x808080, picture.getRGB(20, 30) & 0xFFFFFF, "no sixth image");
  }

  @Test
  void greyImagesAreClipped() throws IOException {
    BufferedImage picture = drawn(Tensor.of(new float[] {-1, 0.5f, 1, 7}, 1, 1, 2, 2), 8, 1);
    assertEquals(2, picture.getWidth());
    assertEquals(0x000000, picture.getRGB(0, 0) & 0xFFFFFF);
    assertEquals(0x808080, picture.getRGB(1, 0) & 0xFFFFFF);
    assertEquals(0xFFFFFF, picture.getRGB(1, 1) & 0xFFFFFF);
  }

  @Test
  void refusesOtherShapesAndHugePictures() {
    assertThrows(
        IllegalArgumentException.class, () -> ImageGrid.png(Tensor.rand(2, 2, 4, 4), 1, 1));
    assertThrows(
        IllegalArgumentException.class, () -> ImageGrid.png(Tensor.rand(1, 1, 4, 4), 1, 100_000));
    assertThrows(
        IllegalArgumentException.class, () -> ImageGrid.png(Tensor.rand(1, 1, 4, 4), 0, 1));
  }
}
