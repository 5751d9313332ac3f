package dev.jformer.data.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import dev.jformer.io.DiskRoom;
import dev.jformer.model.vision.Framing;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class ImageSourceTest {
  @TempDir Path folder;

  private Path cats() throws IOException {
    Path source = folder.resolve("pets");
    TestImages.put(source, "cat/b.png", TestImages.plain(0x0000ff));
    TestImages.put(source, "cat/a.png", TestImages.plain(0x00ff00));
    TestImages.put(source, "dog/deep/er/c.JPG", TestImages.file("jpg", 9, 8, (x, y) -> 0xff0000));
    TestImages.put(source, "dog/notes.txt", new byte[] {1});
    TestImages.put(source, ".hidden/d.png", new byte[] {1});
    return source;
  }

  private static String error(Path source) {
    return assertThrows(DataException.class, () -> ImageSource.open(source)).getMessage();
  }

  @Test
  void classesAreFolders() throws IOException {
    ImageSource source = ImageSource.open(cats());
    assertEquals(List.of("cat", "dog"), source.classes());
    assertEquals(
        List.of("cat/a.png", "cat/b.png", "dog/deep/er/c.JPG"),
        source.entries().stream().map(ImageSource.Entry::name).toList());
    assertEquals(
        List.of(0, 0, 1), source.entries().stream().map(ImageSource.Entry::label).toList());
  }

  /** A folder around the classes, as archives have it, is no class. */
  @ParameterizedTest
  @ValueSource(strings = {"", "train/", "data/train/"})
  void zipsAreAsGoodAsFolders(String prefix) throws IOException {
    Path zip =
        TestImages.zip(
            folder.resolve("pets.zip"),
            prefix + "dog/1.png",
            TestImages.plain(1),
            prefix + "cat/2.png",
            TestImages.plain(2),
            "__MACOSX/cat/._2.png",
            new byte[] {0});
    assertEquals(List.of("cat", "dog"), ImageSource.open(zip).classes());
  }

  @Test
  void saysWhatIsWrong() throws IOException {
    assertTrue(error(folder.resolve("nowhere")).contains("no such folder or zip file"));
    Path empty = Files.createDirectories(folder.resolve("empty"));
    assertTrue(error(empty).contains("holds no images"));
    Path source = cats();
    Files.createDirectories(source.resolve("mouse"));
    String message = error(source);
    assertTrue(message.contains("mouse") && message.contains("holds no image"), message);
    Files.delete(source.resolve("mouse"));
    TestImages.put(source, "lonely.png", TestImages.plain(0));
    message = error(source);
    assertTrue(message.contains("lonely.png") && message.contains("in no class"), message);
    Files.delete(source.resolve("lonely.png"));
    TestImages.put(source, "cat/new.webp", new byte[] {0});
    message = error(source);
    assertTrue(message.contains("new.webp") && message.contains("JPEG, PNG"), message);
    Path text = Files.writeString(folder.resolve("a.txt"), "x");
    assertTrue(error(text).contains("neither a folder nor a zip"));
  }

  @Test
  void pixelsAreReadOnce() throws IOException {
    Path place = folder.resolve("run");
    Path pets = cats();
    try (ImageFile file = ImageFile.prepare(place, ImageSource.open(pets), 4, n -> {})) {
      assertEquals(3, file.count());
      assertEquals(List.of("cat", "dog"), file.header().classes());
      float[] green = file.pixels(new int[] {0}).toFloats();
      assertEquals(3 * 4 * 4, green.length);
      assertEquals(0, green[0]);
      assertEquals(255, green[16]);
      assertArrayEquals(new long[] {1, 0}, file.labels(new int[] {2, 1}).toLongs());
    }
    long[] calls = new long[1];
    ImageFile.prepare(place, ImageSource.open(pets), 4, n -> calls[0]++).close();
    assertEquals(0, calls[0], "images that are there already");
    ImageFile.prepare(place, ImageSource.open(pets), 5, n -> calls[0]++).close();
    assertTrue(calls[0] > 0, "another size");
    TestImages.put(pets, "cat/c.png", TestImages.plain(7));
    try (ImageFile file = ImageFile.prepare(place, ImageSource.open(pets), 5, n -> {})) {
      assertEquals(4, file.count(), "another image");
    }
    Files.write(place.resolve("pixels.bin"), new byte[] {1, 2});
    assertThrows(DataException.class, () -> ImageFile.open(place));
    try (ImageFile file = ImageFile.prepare(place, ImageSource.open(pets), 5, n -> {})) {
      assertEquals(4, file.count(), "made again");
    }
  }

  @Test
  void pixelsDoNotFillADisk() throws IOException {
    Path place = Files.createDirectory(folder.resolve("run"));
    ImageSource source = ImageSource.open(cats());
    DiskRoom room = new DiskRoom("a disk", () -> 40_000);
    IOException full =
        assertThrows(
            IOException.class,
            () -> ImageFile.prepare(place, source, 128, new Framing(), n -> {}, room));
    String message = full.getMessage();
    assertTrue(message.contains("would take 0.1 MB more, and 40000 bytes are free"), message);
    assertEquals(0, place.toFile().list().length);
    ImageFile.prepare(place, source, 32, new Framing(), n -> {}, room).close();
  }

  @Test
  void brokenImagesAreNamedAndNothingIsLeft() throws IOException {
    Path pets = cats();
    byte[] whole = Files.readAllBytes(pets.resolve("cat/a.png"));
    Files.write(pets.resolve("cat/a.png"), Arrays.copyOf(whole, whole.length / 2));
    TestImages.put(pets, "dog/text.jpg", new byte[] {1, 2, 3, 4, 5});
    Path place = folder.resolve("run");
    ImageSource source = ImageSource.open(pets);
    String message =
        assertThrows(DataException.class, () -> ImageFile.prepare(place, source, 4, n -> {}))
            .getMessage();
    assertTrue(message.contains("2 of 4 images"), message);
    assertTrue(message.contains("cat/a.png") && message.contains("dog/text.jpg"), message);
    try (var left = Files.list(place)) {
      assertEquals(List.of(), left.toList());
    }
  }

  /** The largest square in the middle, halved by averaging. */
  @Test
  void picturesAreTheMiddleScaledDown() throws IOException {
    byte[] wide = TestImages.file("png", 12, 8, (x, y) -> x < 2 || x >= 10 ? 0xffffff : 0x000040);
    byte[] pixels = Picture.decode("wide", wide, 4);
    for (int i = 0; i < 16; i++) {
      assertEquals(0, pixels[i], "red");
      assertEquals(0x40, pixels[32 + i], "blue");
    }
    byte[] stripes = TestImages.file("png", 8, 8, (x, y) -> x % 2 == 0 ? 0 : 0xc8c8c8);
    for (byte value : Picture.decode("stripes", stripes, 4)) {
      assertTrue(Math.abs((value & 255) - 100) <= 2, "mean of neighbours: " + (value & 255));
    }
    byte[] same = TestImages.file("png", 5, 5, (x, y) -> 10 * x + y);
    byte[] copy = Picture.decode("same", same, 5);
    assertEquals(10 * 3 + 2, copy[2 * 25 + 2 * 5 + 3], "unscaled");
    assertFalse(Arrays.equals(copy, pixels));
  }

  /** Older programs write names in code page 437, in which é is 0x82. */
  @Test
  void namesInZipFilesMayBeOfCodePage437() throws IOException {
    Path zip = folder.resolve("old.zip");
    try (ZipOutputStream out =
        new ZipOutputStream(Files.newOutputStream(zip), Charset.forName("IBM437"))) {
      for (String name : List.of("Eté/1.png", "Hiver/2.png")) {
        out.putNextEntry(new ZipEntry(name));
        out.write(TestImages.plain(7));
      }
    }
    ImageSource source = ImageSource.open(zip);
    assertEquals(List.of("Eté", "Hiver"), source.classes());
    try (ImageFile file = ImageFile.prepare(folder.resolve("run"), source, 4, n -> {})) {
      assertEquals(2, file.count());
    }
  }

  @Test
  @DisabledOnOs(OS.WINDOWS)
  void pipesAndDevicesAreNotRead() throws IOException, InterruptedException {
    Path pets = cats();
    Path pipe = pets.resolve("cat/pipe.png");
    assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
    ImageSource source = ImageSource.open(pets);
    String message =
        assertThrows(
                DataException.class,
                () -> ImageFile.prepare(folder.resolve("run"), source, 4, n -> {}))
            .getMessage();
    assertTrue(message.contains("pipe.png is not a regular file"), message);
    Path zip = Files.move(pipe, folder.resolve("pipe.zip"));
    assertTrue(error(zip).contains("is not a regular file"), error(zip));
  }
}
