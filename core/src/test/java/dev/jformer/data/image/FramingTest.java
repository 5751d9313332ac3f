package dev.jformer.data.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.config.Configs;
import dev.jformer.model.vision.Framing;
import dev.jformer.model.vision.Framing.Filter;
import dev.jformer.model.vision.VisionTransformer;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Base64;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Beside Pillow: tools/fixtures/make_framing.py. */
class FramingTest {
  static Stream<JsonNode> cases() throws IOException {
    try (InputStream in = FramingTest.class.getResourceAsStream("framing.json")) {
      JsonNode all = new JsonMapper().readTree(in);
      assertTrue(all.size() > 8);
      return Stream.iterate(0, i -> i < all.size(), i -> i + 1).map(all::get);
    }
  }

  /** Pillow's weights are integers of 22 bits, so a value that is just between two may differ. */
  @ParameterizedTest
  @MethodSource("cases")
  void pixelsArePillows(JsonNode given) {
    Framing framing = Configs.bind(given.get("framing"), Framing.class);
    int size = given.get("size").asInt();
    byte[] png = Base64.getDecoder().decode(given.get("png").asText());
    byte[] pillows = Base64.getDecoder().decode(given.get("pixels").asText());
    byte[] ours = Picture.decode("it", png, size, framing);
    assertEquals(pillows.length, ours.length);
    int different = 0;
    for (int i = 0; i < size * size; i++) {
      for (int channel = 0; channel < 3; channel++) {
        int expected = pillows[3 * i + channel] & 255;
        int found = ours[channel * size * size + i] & 255;
        assertTrue(Math.abs(found - expected) <= 1, i + ": " + found + ", not " + expected);
        different += found == expected ? 0 : 1;
      }
    }
    assertTrue(different <= 0.02 * ours.length, different + " values differ by 1");
  }

  /** A line of pixels, which would be very long in proportion. */
  @Test
  void extremeShapesNeedLittleMemory() throws IOException {
    BufferedImage line = new BufferedImage(1, 30_000, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < 30_000; y++) {
      line.setRGB(0, y, 0x336699);
    }
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    ImageIO.write(line, "png", png);
    for (boolean whole : new boolean[] {true, false}) {
      byte[] pixels =
          Picture.decode("line", png.toByteArray(), 224, new Framing(Filter.BICUBIC, whole, 256));
      for (int i = 0; i < pixels.length; i++) {
        assertEquals(new int[] {0x33, 0x66, 0x99}[i / (224 * 224)], pixels[i] & 255);
      }
    }
  }

  @Test
  void whatCannotBeIsRefused() {
    String halving =
        assertThrows(IllegalArgumentException.class, () -> new Framing(Filter.HALVING, true, 0))
            .getMessage();
    assertTrue(halving.contains("another one for whole pictures"), halving);
    String small =
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    new VisionTransformer.Config()
                        .with(c -> c.size(32).framing(new Framing(Filter.BICUBIC, true, 31))))
            .getMessage();
    assertTrue(small.contains("at least the size 32"), small);
  }
}
