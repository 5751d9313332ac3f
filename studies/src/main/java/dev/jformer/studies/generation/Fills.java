package dev.jformer.studies.generation;

import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageGrid;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.data.image.RandomMasks;
import dev.jformer.model.inpaint.PatchSampler;
import dev.jformer.model.inpaint.Put;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Test images with hidden parts, the same for all models, and what fills are worth. Errors are mean
 * absolute differences on hidden pixels, as shares of the range of greys.
 *
 * @param images [N, 1, S, S], -1 to 1
 * @param visible bool [N, 1, S, S]
 */
record Fills(Tensor images, Tensor visible) {
  private static final long SEED = 5;

  /** Passes of spreading the colours of visible pixels. */
  private static final int SPREADING = 400;

  /** The first test images of a file. */
  static Fills of(ImageFile test, int count, RandomMasks masks) {
    List<Tensor> found = new ArrayList<>();
    ImageSampler.all(
        test, (pixels, labels) -> found.add(pixels.mean(1, true).mul(2.0).sub(1.0).keep()));
    Tensor all = Tensor.cat(0, found.toArray(Tensor[]::new));
    found.forEach(Tensor::close);
    // Classes follow one another in the file.
    int step = Math.max(1, (int) all.size(0) / count);
    int kept = (int) Math.min(count, all.size(0) / step);
    Tensor images = all.every(0, 0, step).narrow(0, 0, kept).contiguous();
    int size = (int) images.size(2);
    return new Fills(images, masks.visible(new SplittableRandom(SEED), kept, size, size));
  }

  /** The first images. */
  Fills first(int count) {
    long kept = Math.min(count, images.size(0));
    return new Fills(images.narrow(0, 0, kept), visible.narrow(0, 0, kept));
  }

  /** Fills in by a model. */
  Tensor by(Put model, PatchSampler sampler, long seed) {
    List<SplittableRandom> draws = new ArrayList<>();
    for (int i = 0; i < images.size(0); i++) {
      draws.add(new SplittableRandom(seed * 1_000_003 + i));
    }
    return model.fill(images, visible, sampler, draws, done -> {});
  }

  /** Fills in by spreading the colours of visible pixels evenly to their neighbours. */
  Tensor bySpreading() {
    Tensor shown = visible.to(DType.FLOAT32);
    Tensor mean = images.mul(shown).sum(2, true).sum(3, true).div(count(shown));
    Tensor now = mean.where(visible.not(), images);
    for (int i = 0; i < SPREADING; i++) {
      now = images.where(visible, Functional.meanPool(now, 3, 3));
    }
    return now;
  }

  private static Tensor count(Tensor shown) {
    return shown.sum(2, true).sum(3, true);
  }

  /** The mean absolute difference of fills from the images on hidden pixels. */
  double error(Tensor fills) {
    return distance(fills, images);
  }

  private double distance(Tensor a, Tensor b) {
    return Fills.mean(a.sub(b).abs(), visible.not()) / 2;
  }

  private static double mean(Tensor values, Tensor where) {
    Tensor weight = where.to(DType.FLOAT32);
    return values.mul(weight).sum().item() / weight.sum().item();
  }

  /** The signal-to-noise ratio of fills on hidden pixels, in decibels of the range of greys. */
  double decibels(Tensor fills) {
    double square = mean(fills.sub(images).square(), visible.not()) / 4;
    return -10 * Math.log10(square);
  }

  /** The largest difference of visible pixels. */
  double visibleDifference(Tensor fills) {
    return fills.sub(images).abs().maskedFill(visible.not(), 0).max().item();
  }

  /** The mean absolute difference on visible pixels of what a decoder draws. */
  double errorOfVisible(Tensor drawn) {
    return mean(drawn.sub(images).abs(), visible) / 2;
  }

  /** The mean distance on hidden pixels of each two fills. */
  double diversity(List<Tensor> fills) {
    double sum = 0;
    int pairs = 0;
    for (int i = 0; i < fills.size(); i++) {
      for (int j = 0; j < i; j++) {
        sum += distance(fills.get(i), fills.get(j));
        pairs++;
      }
    }
    return sum / pairs;
  }

  /** A picture with a row for each image: what is visible of it, its fills, and all of it. */
  byte[] picture(List<Tensor> fills, int rows, int scale) {
    List<Tensor> shown = new ArrayList<>();
    for (int i = 0; i < Math.min(rows, images.size(0)); i++) {
      Tensor image = images.narrow(0, i, 1);
      shown.add(image.maskedFill(visible.narrow(0, i, 1).not(), 0));
      for (Tensor fill : fills) {
        shown.add(fill.narrow(0, i, 1));
      }
      shown.add(image);
    }
    Tensor all = Tensor.cat(0, shown.toArray(Tensor[]::new)).add(1.0).mul(0.5);
    return ImageGrid.png(all, fills.size() + 2, scale);
  }
}
