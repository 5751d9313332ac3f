package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From a folder of images to images whose hidden part is filled in, by commands alone. */
class InpaintCommandTest {
  private static final int[] DARK = {20, 30, 40};
  private static final int[] LIGHT = {200, 220, 210};

  @TempDir private Path folder;

  /** Images that are dark or light as a whole, with some noise; of several sizes. */
  private Path images() throws IOException {
    SplittableRandom random = new SplittableRandom(1);
    Path place = Files.createDirectories(folder.resolve("images"));
    for (int i = 0; i < 40; i++) {
      int size = 8 + 4 * (i % 3);
      write(place.resolve(i + ".png"), picture(size, size, i % 2 == 0 ? DARK : LIGHT, random));
    }
    return place;
  }

  private static BufferedImage picture(
      int width, int height, int[] colour, SplittableRandom random) {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int p = 0; p < width * height; p++) {
      int rgb = 0;
      for (int c : colour) {
        rgb = rgb << 8 | c + random.nextInt(20);
      }
      image.setRGB(p % width, p / width, rgb);
    }
    return image;
  }

  private static Path write(Path file, BufferedImage image) throws IOException {
    ImageIO.write(image, "png", file.toFile());
    return file;
  }

  /** White from a column on, in some rows. */
  private Path mask(String name, int width, int height, int fromColumn, int rows)
      throws IOException {
    BufferedImage mask = new BufferedImage(width, height, BufferedImage.TYPE_BYTE_GRAY);
    for (int y = 0; y < rows; y++) {
      for (int x = fromColumn; x < width; x++) {
        mask.setRGB(x, y, 0xFFFFFF);
      }
    }
    return write(folder.resolve(name), mask);
  }

  private static Outcome train(Path data, Path out) {
    List<String> arguments = new ArrayList<>();
    for (Object each :
        List.of("train", "--task", "inpainting", "--data", data, "--out", out, "--steps", "60")) {
      arguments.add("" + each);
    }
    for (String field :
        List.of(
            "model.size=8",
            "model.patch=2",
            "model.layers=1",
            "model.width=16",
            "model.mixer.heads=2",
            "model.codec.codes=16",
            "model.codec.hiddenCodes=8",
            "model.codec.encoderWidth=32",
            "model.codec.encoderBlocks=1",
            "model.codec.decoderWidth=16",
            "model.codec.decoderBlocks=1",
            "data.validation=0.2",
            "training.batch=8",
            "training.schedule.warmup=10",
            "training.learningRate=0.005",
            "training.evaluateEvery=30")) {
      arguments.add("--set");
      arguments.add(field);
    }
    return Outcome.of(arguments.toArray(String[]::new));
  }

  @Test
  void imagesAreFilledInByTwoCommands() throws IOException {
    Path run = folder.resolve("run");
    Outcome trained = train(images(), run);
    assertEquals(0, trained.code(), trained.err());
    assertTrue(trained.err().contains("jformer inpaint " + run), trained.err());
    String report = Files.readString(run.resolve("report.html"));
    assertTrue(report.contains("Made at step 30") && report.contains("Made at step 60"));

    BufferedImage image = picture(8, 6, LIGHT, new SplittableRandom(9));
    Path file = write(folder.resolve("image.png"), image);
    Path mask = mask("mask.png", 8, 6, 3, 4);
    Path out = folder.resolve("one.png");
    Outcome filled = inpaint(run, file, mask, out, "--count", "1", "--scale", "1");
    assertEquals(0, filled.code(), filled.err());
    BufferedImage whole = ImageIO.read(out.toFile());
    assertEquals(8, whole.getWidth());
    assertEquals(6, whole.getHeight());
    double sum = 0;
    for (int y = 0; y < 6; y++) {
      for (int x = 0; x < 8; x++) {
        if (x < 3 || y >= 4) {
          assertEquals(image.getRGB(x, y), whole.getRGB(x, y), "visible pixels");
        } else {
          sum += (whole.getRGB(x, y) & 255) / 20.0;
        }
      }
    }
    Path dark = write(folder.resolve("dark.png"), picture(8, 6, DARK, new SplittableRandom(9)));
    assertEquals(0, inpaint(run, dark, mask, out, "--count", "1", "--scale", "1").code());
    BufferedImage darkWhole = ImageIO.read(out.toFile());
    double darkSum = 0;
    for (int p = 0; p < 20; p++) {
      darkSum += (darkWhole.getRGB(3 + p % 5, p / 5) & 255) / 20.0;
    }
    assertTrue(sum > 1.3 * darkSum, "a light image stays light: " + sum + ", " + darkSum);

    Path many = folder.resolve("fills.png");
    assertEquals(0, inpaint(run, file, mask, many, "--count", "5", "--columns", "3").code());
    assertEquals(3 * 88 + 2, ImageIO.read(many.toFile()).getWidth());
    assertEquals(2 * 66 + 1, ImageIO.read(many.toFile()).getHeight());
    byte[] before = Files.readAllBytes(many);
    assertEquals(0, inpaint(run, file, mask, many, "--count", "5", "--columns", "3").code());
    assertArrayEquals(before, Files.readAllBytes(many), "the same again");
    refusals(run, file, mask, many);
  }

  private void refusals(Path run, Path image, Path mask, Path out) throws IOException {
    byte[] before = Files.readAllBytes(out);
    fails("the mask is of 8 x 8 pixels", run, image, mask("large.png", 8, 8, 3, 4), out);
    fails("the mask hides no pixel", run, image, mask("none.png", 8, 6, 8, 4), out);
    fails("the mask hides all pixels", run, image, mask("all.png", 8, 6, 0, 6), out);
    Path wide = write(folder.resolve("wide.png"), picture(12, 8, DARK, new SplittableRandom(1)));
    fails("multiples of 2 and at most 8", run, wide, mask("wide-mask.png", 12, 8, 3, 4), out);
    Path odd = write(folder.resolve("odd.png"), picture(7, 8, DARK, new SplittableRandom(1)));
    fails("is of 7 x 8 pixels", run, odd, mask("odd-mask.png", 7, 8, 3, 4), out);
    Path broken = folder.resolve("broken.png");
    Files.write(broken, java.util.Arrays.copyOf(Files.readAllBytes(image), 60));
    fails("broken.png is damaged", run, broken, mask, out);
    fails("not an image that can be read", run, Files.writeString(broken, "text"), mask, out);
    fails("no such file", run, folder.resolve("none-such.png"), mask, out);
    fails("no such file", run, image, folder.resolve("none-such.png"), out);
    fails("--count is 0", run, image, mask, out, "--count", "0");
    fails("--top-k is 0", run, image, mask, out, "--top-k", "0");
    fails("--temperature is NaN", run, image, mask, out, "--temperature", "NaN");
    fails("which is read from", run, image, mask, mask);
    fails("there is no folder", run, image, mask, folder.resolve("none/x.png"));
    assertArrayEquals(before, Files.readAllBytes(out), "nothing was written");
    Path empty = Files.createDirectories(folder.resolve("empty"));
    fails("empty", empty, image, mask, folder.resolve("y.png"));
    assertFalse(Files.exists(folder.resolve("y.png")));

    Path data = folder.resolve("bad-data");
    Files.createDirectories(data);
    assertRefused("holds no images", data);
    Files.writeString(data.resolve("a.png"), "no image");
    assertRefused("a.png", data);
    assertRefused("no such file or folder", folder.resolve("none"));
  }

  private void assertRefused(String expected, Path data) {
    Outcome outcome = train(data, folder.resolve("refused"));
    assertTrue(outcome.code() != 0, expected);
    assertTrue(outcome.err().contains(expected), outcome.err());
    assertFalse(Files.exists(folder.resolve("refused/model.safetensors")));
  }

  private static Outcome inpaint(Path run, Path image, Path mask, Path out, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of("inpaint", "" + run, "" + image, "--mask", "" + mask, "--out", "" + out));
    arguments.addAll(List.of(more));
    return Outcome.of(arguments.toArray(String[]::new));
  }

  private static void fails(
      String expected, Path run, Path image, Path mask, Path out, String... more) {
    Outcome outcome = inpaint(run, image, mask, out, more);
    assertTrue(outcome.code() != 0, expected);
    assertTrue(outcome.err().contains(expected), expected + ": " + outcome.err());
  }
}
