package dev.jformer.studies.incontext;

import dev.jformer.data.incontext.PictureClasses;
import dev.jformer.studies.DataSets;
import dev.jformer.studies.Scale;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import javax.imageio.ImageIO;

/**
 * The characters of Omniglot (<a href="https://github.com/brendenlake/omniglot">Lake, Salakhutdinov
 * and Tenenbaum 2015</a>), as classes of 20 drawings each: those of two alphabets are new ones,
 * those of the others are trained on. Each is turned four ways and mirrored, which makes eight
 * classes of it, and reduced to {@value #SIZE} x {@value #SIZE} means.
 */
final class Characters {
  static final int SIZE = 15;

  /** How much smaller a picture becomes: they have 105 x 105 pixels. */
  private static final int FACTOR = 7;

  private static final List<String> FILES =
      List.of("images_background_small1.zip", "images_background_small2.zip");

  /** The alphabets whose characters are new: the last of each file. */
  private static final int NEW = 1;

  private Characters() {}

  /** Reads the drawings; at smoke scale they are made up. */
  static PictureClasses read(Scale scale) {
    if (scale == Scale.SMOKE) {
      return new PictureClasses(madeUp(8, 1), madeUp(4, 2));
    }
    List<float[][]> learned = new ArrayList<>();
    List<float[][]> others = new ArrayList<>();
    for (String file : FILES) {
      Map<String, Map<String, List<float[]>>> alphabets = alphabets(file);
      int left = alphabets.size();
      for (Map<String, List<float[]>> characters : alphabets.values()) {
        List<float[][]> to = left-- <= NEW ? others : learned;
        characters.values().forEach(drawings -> turned(drawings, to));
      }
    }
    return new PictureClasses(learned.toArray(float[][][]::new), others.toArray(float[][][]::new));
  }

  /** The drawings of a file by alphabet and character. */
  private static Map<String, Map<String, List<float[]>>> alphabets(String file) {
    Map<String, Map<String, List<float[]>>> all = new TreeMap<>();
    try (ZipInputStream zip =
        new ZipInputStream(Files.newInputStream(DataSets.require("omniglot/" + file)))) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        String[] path = entry.getName().split("/", -1);
        if (path.length == 4 && path[3].endsWith(".png")) {
          all.computeIfAbsent(path[1], alphabet -> new TreeMap<>())
              .computeIfAbsent(path[2], character -> new ArrayList<>())
              .add(reduced(ImageIO.read(new ByteArrayInputStream(zip.readAllBytes()))));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read omniglot/" + file, e);
    }
    return all;
  }

  /** The share of ink of each field, with mean 0 and length 1. */
  private static float[] reduced(BufferedImage drawing) {
    float[] means = new float[SIZE * SIZE];
    float mean = 0;
    for (int y = 0; y < SIZE * FACTOR; y++) {
      for (int x = 0; x < SIZE * FACTOR; x++) {
        if ((drawing.getRGB(x, y) & 0xFF) < 128) {
          means[y / FACTOR * SIZE + x / FACTOR]++;
          mean += 1f / (SIZE * SIZE);
        }
      }
    }
    double squares = 0;
    for (int i = 0; i < means.length; i++) {
      means[i] -= mean;
      squares += means[i] * means[i];
    }
    for (int i = 0; i < means.length; i++) {
      means[i] /= (float) Math.sqrt(squares);
    }
    return means;
  }

  /** Adds the eight classes that turning and mirroring make of a character. */
  private static void turned(List<float[]> drawings, List<float[][]> to) {
    float[][] now = drawings.toArray(float[][]::new);
    for (int mirrored = 0; mirrored < 2; mirrored++) {
      for (int quarter = 0; quarter < 4; quarter++) {
        to.add(now);
        now = each(now, false);
      }
      now = each(now, true);
    }
  }

  /** Pictures mirrored at the diagonal, and, unless that is all, turned by a quarter so. */
  private static float[][] each(float[][] pictures, boolean mirrored) {
    float[][] made = new float[pictures.length][SIZE * SIZE];
    for (int i = 0; i < pictures.length; i++) {
      for (int y = 0; y < SIZE; y++) {
        for (int x = 0; x < SIZE; x++) {
          made[i][y * SIZE + x] = pictures[i][x * SIZE + (mirrored ? y : SIZE - 1 - y)];
        }
      }
    }
    return made;
  }

  private static float[][][] madeUp(int classes, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[][][] all = new float[classes][3][SIZE * SIZE];
    for (float[][] pictures : all) {
      for (float[] picture : pictures) {
        for (int i = 0; i < picture.length; i++) {
          picture[i] = (float) (random.nextGaussian() / SIZE);
        }
      }
    }
    return all;
  }
}
