package dev.jformer.data.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.data.DataException;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Pixels as Pillow reads them from the same files (see tools/fixtures/make_images.py). */
class PictureTest {
  private static final int SIDE = 8;
  private static final int TOLERANCE = 2;

  @TestFactory
  List<DynamicTest> filesAreReadAsPillowReadsThem() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    JsonNode files = new JsonMapper().readTree(getClass().getResourceAsStream("images.json"));
    for (Map.Entry<String, JsonNode> file : files.properties()) {
      String name = file.getKey();
      byte[] content = Base64.getDecoder().decode(file.getValue().path("file").asText());
      JsonNode pixels = file.getValue().path("pixels");
      tests.add(
          DynamicTest.dynamicTest(
              name,
              () -> {
                if (pixels.isNull()) {
                  assertTrue(error(name, content).startsWith(name + " is damaged"));
                } else {
                  check(Base64.getDecoder().decode(pixels.asText()), content);
                }
              }));
    }
    return tests;
  }

  private static void check(byte[] pillows, byte[] content) {
    byte[] ours = Picture.decode("it", content, SIDE);
    for (int i = 0; i < SIDE * SIDE; i++) {
      for (int channel = 0; channel < 3; channel++) {
        int expected = pillows[3 * i + channel] & 255;
        int found = ours[channel * SIDE * SIDE + i] & 255;
        assertTrue(
            Math.abs(found - expected) <= TOLERANCE,
            "pixel %d, channel %d: %d, expected %d".formatted(i, channel, found, expected));
      }
    }
  }

  private static String error(String name, byte[] content) {
    return assertThrows(DataException.class, () -> Picture.decode(name, content, SIDE))
        .getMessage();
  }

  /** The upper bytes of 16-bit samples, and transparent pixels on black. */
  @Test
  void deepAndTransparentPixels() throws IOException {
    BufferedImage deep = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_USHORT_GRAY);
    BufferedImage clear = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_4BYTE_ABGR);
    for (int i = 0; i < SIDE * SIDE; i++) {
      deep.getRaster().setSample(i % SIDE, i / SIDE, 0, 768 * i + 255);
      clear.setRGB(i % SIDE, i / SIDE, (i << 26) | 0xc86432);
    }
    byte[] fromDeep = Picture.decode("deep", png(deep), SIDE);
    byte[] fromClear = Picture.decode("clear", png(clear), SIDE);
    for (int i = 0; i < SIDE * SIDE; i++) {
      assertEquals(3 * i, fromDeep[i] & 255);
      assertEquals(Math.round(200 * 4 * i / 255.0), fromClear[i] & 255);
    }
  }

  private static byte[] png(BufferedImage image) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ImageIO.write(image, "png", out);
    return out.toByteArray();
  }

  /** A few kilobytes that stand for gigabytes of pixels. */
  @Test
  void imagesThatDoNotFitIntoTheMemoryAreRefusedByName() throws IOException {
    assertTrue(error("big.png", bomb(30_000)).contains("big.png has 30000 x 30000 pixels"));
    if (Runtime.getRuntime().maxMemory() < 3L << 30) {
      String message = error("big.png", bomb(19_900));
      assertTrue(message.contains("big.png needs") && message.contains("-Xmx"), message);
    }
    assertEquals(3 * SIDE * SIDE, Picture.decode("fits", bomb(1000), SIDE).length);
  }

  /** A black PNG of one bit a pixel. */
  private static byte[] bomb(int side) throws IOException {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    png.write(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'});
    ByteArrayOutputStream header = new ByteArrayOutputStream();
    header.write(number(side));
    header.write(number(side));
    header.write(new byte[] {1, 0, 0, 0, 0});
    chunk(png, "IHDR", header.toByteArray());
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    try (DeflaterOutputStream deflater = new DeflaterOutputStream(data)) {
      byte[] row = new byte[1 + (side + 7) / 8];
      for (int y = 0; y < side; y++) {
        deflater.write(row);
      }
    }
    chunk(png, "IDAT", data.toByteArray());
    chunk(png, "IEND", new byte[0]);
    return png.toByteArray();
  }

  private static byte[] number(int value) {
    return new byte[] {
      (byte) (value >> 24), (byte) (value >> 16), (byte) (value >> 8), (byte) value
    };
  }

  private static void chunk(ByteArrayOutputStream png, String type, byte[] data)
      throws IOException {
    byte[] name = type.getBytes(StandardCharsets.US_ASCII);
    CRC32 crc = new CRC32();
    crc.update(name);
    crc.update(data);
    png.write(number(data.length));
    png.write(name);
    png.write(data);
    png.write(number((int) crc.getValue()));
  }
}
