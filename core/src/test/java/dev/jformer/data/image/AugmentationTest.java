package dev.jformer.data.image;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import dev.jformer.data.Epochs;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(Scoped.class)
class AugmentationTest {
  private static Tensor pixels(int count) {
    return Tensor.randint(0, 256, count, 3, 8, 8).to(DType.UINT8);
  }

  private static Augmenter augmenter(Augmentation settings) {
    return new Augmenter(settings, new SplittableRandom(4));
  }

  @Test
  void nothingLeavesImagesAsTheyAre() {
    Tensor pixels = pixels(5);
    Tensor x = augmenter(Augmentation.none()).apply(pixels);
    assertClose(pixels.to(DType.FLOAT32).div(255).toDoubles(), x, 1e-6);
  }

  /** Whole pixels, so that every pixel that comes out went in, or is black. */
  @Test
  void shiftsAndMirrorsMovePixels() {
    Tensor pixels = pixels(40);
    Tensor x = augmenter(new Augmentation(0.25, 1, true, 0, 0, 0, 0, 0)).apply(pixels);
    float[] in = pixels.to(DType.FLOAT32).div(255).toFloats();
    float[] out = x.toFloats();
    int found = 0;
    TreeSet<String> kinds = new TreeSet<>();
    for (int image = 0; image < 40; image++) {
      for (int flip = 0; flip < 2; flip++) {
        for (int dx = -2; dx <= 2; dx++) {
          for (int dy = -2; dy <= 2; dy++) {
            if (isMoved(in, out, image, flip == 1, dx, dy)) {
              found++;
              kinds.add(flip + " " + dx + " " + dy);
            }
          }
        }
      }
    }
    assertEquals(40, found, "images that are a moved or mirrored original");
    assertTrue(kinds.size() > 20, kinds.size() + " kinds of moves");
  }

  private static boolean isMoved(float[] in, float[] out, int image, boolean flip, int dx, int dy) {
    for (int c = 0; c < 3; c++) {
      for (int y = 0; y < 8; y++) {
        for (int x = 0; x < 8; x++) {
          int fromX = x + dx;
          int fromY = y + dy;
          boolean inside = fromX >= 0 && fromX < 8 && fromY >= 0 && fromY < 8;
          int column = flip ? 7 - fromX : fromX;
          float expected = inside ? in[((image * 3 + c) * 8 + fromY) * 8 + column] : 0;
          if (Math.abs(out[((image * 3 + c) * 8 + y) * 8 + x] - expected) > 1e-4) {
            return false;
          }
        }
      }
    }
    return true;
  }

  @Test
  void operationsStayWithinColours() {
    Tensor pixels = pixels(200);
    Tensor x = augmenter(new Augmentation(0, 0.3, true, 3, 1, 0, 0, 0.5)).apply(pixels);
    assertTrue(x.isFinite().all());
    assertTrue(x.min().item() >= 0 && x.max().item() <= 1, x.min() + " to " + x.max());
    int same = 0;
    for (int i = 0; i < 200; i++) {
      Tensor before = pixels.select(0, i).to(DType.FLOAT32).div(255);
      same += before.sub(x.select(0, i)).abs().max().item() < 1e-3 ? 1 : 0;
    }
    assertTrue(same < 20, same + " of 200 images unchanged");
  }

  @Test
  void affineMapsCompose() {
    Affine both = Affine.move(0.5, 0).after(Affine.scale(2, 3));
    assertEquals(new Affine(2, 0, 0.5, 0, 3, 0), both);
    Affine turned = Affine.rotate(Math.PI / 2).after(Affine.rotate(-Math.PI / 2));
    assertEquals(1, turned.a(), 1e-12);
    assertEquals(0, turned.b(), 1e-12);
    // A quarter turn brings the right edge's pixels to the bottom or the top.
    Tensor x = Tensor.zeros(1, 1, 4, 4);
    x.narrow(3, 3, 1).fill_(1);
    float[] theta = new float[6];
    Affine.rotate(Math.PI / 2).write(theta, 0);
    Tensor y = Functional.warp(x, Tensor.of(theta, 1, 2, 3));
    assertEquals(4, y.sum().item(), 1e-4);
    assertEquals(4, y.narrow(2, 0, 1).sum().item(), 1e-4);
  }

  /** Shares of images and of targets agree. */
  @Test
  void mixturesSayWhatTheyAre() {
    Tensor x = Tensor.cat(0, Tensor.zeros(1, 3, 8, 8), Tensor.ones(1, 3, 8, 8));
    Tensor targets = Tensor.of(new float[] {1, 0, 0, 1}, 2, 2);
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 50; i++) {
      boolean cut = i % 2 == 0;
      Augmentation settings = new Augmentation(0, 1, false, 0, 0, cut ? 0 : 0.8, cut ? 1 : 0, 0);
      ImageBatch mixed = new Augmenter(settings, random.split()).mix(x, targets);
      double share = mixed.targets().select(0, 0).select(0, 1).item();
      assertEquals(share, mixed.images().select(0, 0).mean().item(), 1e-5);
      assertClose(new double[] {1, 1}, mixed.targets().sum(1, false), 1e-6);
      if (cut) {
        assertTrue(
            mixed.images().eq(0.0).or(mixed.images().eq(1.0)).all(), "pixels are one or the other");
      }
    }
  }

  /** Mean one half, variance 1 / (4 (2 α + 1)). */
  @Test
  void betaHasItsMoments() {
    SplittableRandom random = new SplittableRandom(3);
    for (double alpha : new double[] {0.2, 1, 3}) {
      int count = 20_000;
      double[] draws = new double[count];
      Arrays.setAll(draws, i -> Beta.draw(alpha, random));
      double mean = Arrays.stream(draws).average().getAsDouble();
      double variance = Arrays.stream(draws).map(d -> (d - mean) * (d - mean)).sum() / count;
      double wanted = 1 / (4 * (2 * alpha + 1));
      assertEquals(0.5, mean, 5 * Math.sqrt(wanted / count));
      assertEquals(wanted, variance, 0.05 * wanted);
    }
  }

  @Test
  void epochsGiveEveryExampleOnce() {
    Epochs epochs = new Epochs(10, 3, 5);
    assertEquals(3, epochs.perEpoch());
    TreeSet<Integer> seen = new TreeSet<>();
    for (int i = 0; i < 3; i++) {
      Arrays.stream(epochs.chosen(i)).forEach(seen::add);
    }
    assertEquals(9, seen.size());
    int[] later = epochs.chosen(7);
    epochs.chosen(0);
    assertArrayEquals(later, epochs.chosen(7), "a function of its number");
    assertArrayEquals(later, new Epochs(10, 3, 5).chosen(7), "and of the seed");
    assertFalse(Arrays.equals(later, new Epochs(10, 3, 6).chosen(7)), "other seeds, other batches");
    assertThrows(DataException.class, () -> new Epochs(0, 3, 5));
  }

  @Test
  void batchesAreFunctionsOfTheirNumber(@TempDir Path folder) throws IOException {
    for (int i = 0; i < 20; i++) {
      TestImages.put(
          folder.resolve("in"),
          (i % 2 == 0 ? "a/" : "b/") + i + ".png",
          TestImages.plain(i * 1000));
    }
    try (ImageFile file =
        ImageFile.prepare(
            folder.resolve("run"), ImageSource.open(folder.resolve("in")), 8, n -> {})) {
      Augmentation settings = new Augmentation(0.1, 0.8, true, 2, 0.5, 0.5, 0.5, 0.2);
      ImageSampler sampler = new ImageSampler(file, 0.2, settings, 4, 9);
      assertEquals(16, sampler.trainingImages());
      assertEquals(4, sampler.heldOutImages());
      ImageBatch later = sampler.batch(11);
      sampler.batch(2);
      assertSame(later.images(), sampler.batch(11).images(), "images");
      assertSame(later.targets(), sampler.batch(11).targets(), "targets");
      int[] labels = new int[2];
      sampler.heldOut(
          (images, each) -> Arrays.stream(each.toLongs()).forEach(l -> labels[(int) l]++));
      assertArrayEquals(new int[] {2, 2}, labels, "two of each class held out");
      assertThrows(DataException.class, () -> new ImageSampler(file, 0.01, settings, 4, 9));
    }
  }
}
