package dev.jformer.data.image;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Applies an {@link Augmentation} to batches. All changes that move pixels are combined into one
 * affine map for each image; changes of colour follow, in a fixed order whatever the order they
 * were drawn in.
 */
final class Augmenter {
  private static final double GREY = 0.5;

  private enum Operation {
    IDENTITY,
    ROTATE,
    SHEAR_X,
    SHEAR_Y,
    MOVE_X,
    MOVE_Y,
    BRIGHTNESS,
    CONTRAST,
    COLOUR,
    POSTERIZE,
    SOLARIZE,
    AUTO_CONTRAST
  }

  private static final Operation[] OPERATIONS = Operation.values();

  private final Augmentation settings;
  private final SplittableRandom random;

  Augmenter(Augmentation settings, SplittableRandom random) {
    this.settings = settings;
    this.random = random;
  }

  /** The random draws for the images of a batch. */
  private static final class Draws {
    final Affine[] maps;
    final float[] brightness;
    final float[] contrast;
    final float[] colour;
    final float[] step;
    final float[] threshold;
    final float[] stretch;

    Draws(int count) {
      maps = new Affine[count];
      Arrays.fill(maps, Affine.IDENTITY);
      brightness = filled(count, 1);
      contrast = filled(count, 1);
      colour = filled(count, 1);
      step = filled(count, 1);
      threshold = filled(count, 2);
      stretch = filled(count, 0);
    }

    private static float[] filled(int count, float value) {
      float[] values = new float[count];
      Arrays.fill(values, value);
      return values;
    }
  }

  /**
   * Augments images independently.
   *
   * @param pixels uint8 [B, 3, S, S]
   * @return float32 [B, 3, S, S], 0 to 1
   */
  Tensor apply(Tensor pixels) {
    int count = (int) pixels.size(0);
    int size = (int) pixels.size(2);
    Draws draws = new Draws(count);
    for (int i = 0; i < count; i++) {
      draw(draws, i, size);
    }
    Tensor x = pixels.to(DType.FLOAT32).div(255);
    if (!Arrays.stream(draws.maps).allMatch(Affine.IDENTITY::equals)) {
      float[] theta = new float[count * 6];
      for (int i = 0; i < count; i++) {
        draws.maps[i].write(theta, i);
      }
      x = Functional.warp(x, Tensor.of(theta, count, 2, 3));
    }
    if (settings.operations() > 0) {
      x = colours(x, draws);
    }
    return settings.erase() > 0 ? erase(x) : x;
  }

  private void draw(Draws draws, int i, int size) {
    Affine map = Affine.IDENTITY;
    if (settings.flip() && random.nextBoolean()) {
      map = Affine.mirror();
    }
    if (settings.zoom() < 1) {
      map = window().after(map);
    }
    int most = (int) Math.round(settings.shift() * size);
    if (most > 0) {
      // Whole pixels, so that nothing is blurred.
      double x = 2.0 * (random.nextInt(2 * most + 1) - most) / size;
      double y = 2.0 * (random.nextInt(2 * most + 1) - most) / size;
      map = Affine.move(x, y).after(map);
    }
    for (int n = 0; n < settings.operations(); n++) {
      map = operate(OPERATIONS[random.nextInt(OPERATIONS.length)], draws, i, map);
    }
    draws.maps[i] = map;
  }

  /** A random crop of the image, scaled to the whole result. */
  private Affine window() {
    double area = settings.zoom() + (1 - settings.zoom()) * random.nextDouble();
    double ratio = Math.exp((2 * random.nextDouble() - 1) * Math.log(4.0 / 3));
    double width = Math.min(1, Math.sqrt(area * ratio));
    double height = Math.min(1, Math.sqrt(area / ratio));
    double x = (2 * random.nextDouble() - 1) * (1 - width);
    double y = (2 * random.nextDouble() - 1) * (1 - height);
    return Affine.move(x, y).after(Affine.scale(width, height));
  }

  /** Draws the strength of an operation; ranges at full magnitude are those of RandAugment. */
  private Affine operate(Operation operation, Draws draws, int i, Affine map) {
    double strength = settings.magnitude();
    double signed = random.nextBoolean() ? strength : -strength;
    switch (operation) {
      case ROTATE -> {
        return Affine.rotate(Math.toRadians(30 * signed)).after(map);
      }
      case SHEAR_X -> {
        return Affine.shear(0.3 * signed, 0).after(map);
      }
      case SHEAR_Y -> {
        return Affine.shear(0, 0.3 * signed).after(map);
      }
      case MOVE_X -> {
        return Affine.move(0.9 * signed, 0).after(map);
      }
      case MOVE_Y -> {
        return Affine.move(0, 0.9 * signed).after(map);
      }
      case BRIGHTNESS -> draws.brightness[i] = (float) (1 + 0.9 * signed);
      case CONTRAST -> draws.contrast[i] = (float) (1 + 0.9 * signed);
      case COLOUR -> draws.colour[i] = (float) (1 + 0.9 * signed);
      case POSTERIZE -> draws.step[i] = 1 << (int) Math.round(4 * strength);
      case SOLARIZE -> draws.threshold[i] = (float) (1 - strength);
      case AUTO_CONTRAST -> draws.stretch[i] = 1;
      case IDENTITY -> {}
    }
    return map;
  }

  private static Tensor colours(Tensor x, Draws draws) {
    Tensor grey = x.mul(Tensor.of(new float[] {0.299f, 0.587f, 0.114f}, 3, 1, 1)).sum(1, true);
    Tensor y = grey.add(x.sub(grey).mul(each(draws.colour)));
    y = y.mul(each(draws.brightness)).clamp(0, 1);
    Tensor mean = y.mean(3, true).mean(2, true).mean(1, true);
    y = mean.add(y.sub(mean).mul(each(draws.contrast))).clamp(0, 1);
    Tensor low = y.min(3, true).min(2, true);
    Tensor range = y.max(3, true).max(2, true).sub(low).clamp(1 / 255.0, 1);
    Tensor stretched = y.sub(low).div(range);
    y = y.add(stretched.sub(y).mul(each(draws.stretch)));
    Tensor step = each(draws.step).div(255);
    // With a step of one level only rounding would change, so these images keep their values.
    y = y.div(step).add(1e-4).floor().mul(step).where(step.gt(1.5 / 255), y);
    return y.mul(-1.0).add(1.0).where(y.ge(each(draws.threshold)), y);
  }

  private static Tensor each(float[] values) {
    return Tensor.of(values, values.length, 1, 1, 1);
  }

  private Tensor erase(Tensor x) {
    int count = (int) x.size(0);
    float[][] edges = new float[4][count];
    for (int i = 0; i < count; i++) {
      if (random.nextDouble() < settings.erase()) {
        double area = 0.02 + 0.31 * random.nextDouble();
        double ratio = Math.exp((2 * random.nextDouble() - 1) * Math.log(1 / 0.3));
        place(edges, i, Math.sqrt(area * ratio), Math.sqrt(area / ratio));
      }
    }
    return x.maskedFill(rectangles(edges, x.size(2)), GREY);
  }

  /** Places a rectangle at random so that it fits; its sides are shares of the image's. */
  private void place(float[][] edges, int i, double wanted, double high) {
    double width = Math.min(1, wanted);
    double height = Math.min(1, high);
    double left = random.nextDouble() * (1 - width);
    double top = random.nextDouble() * (1 - height);
    edges[0][i] = (float) left;
    edges[1][i] = (float) (left + width);
    edges[2][i] = (float) top;
    edges[3][i] = (float) (top + height);
  }

  /** A mask that is true inside the rectangles: bool [B, 1, S, S]. */
  private static Tensor rectangles(float[][] edges, long size) {
    Tensor at = Tensor.arange(0, size).to(DType.FLOAT32).add(0.5).div((double) size);
    Tensor x = at.view(1, 1, 1, size);
    Tensor y = at.view(1, 1, size, 1);
    return x.ge(each(edges[0]))
        .and(x.lt(each(edges[1])))
        .and(y.ge(each(edges[2])))
        .and(y.lt(each(edges[3])));
  }

  /**
   * Mixes each image with its neighbour in the batch, if the settings say so.
   *
   * @param x float32 [B, 3, S, S]
   * @param targets float32 [B, K]
   */
  ImageBatch mix(Tensor x, Tensor targets) {
    boolean both = settings.mixup() > 0 && settings.cutmix() > 0;
    boolean cut = both ? random.nextBoolean() : settings.cutmix() > 0;
    double alpha = cut ? settings.cutmix() : settings.mixup();
    if (alpha == 0 || x.size(0) < 2) {
      return new ImageBatch(x, targets);
    }
    double share = Beta.draw(alpha, random);
    Tensor others = x.roll(1, 0);
    if (!cut) {
      return new ImageBatch(blend(x, others, share), blend(targets, targets.roll(1, 0), share));
    }
    float[][] edges = new float[4][1];
    double side = Math.sqrt(1 - share);
    place(edges, 0, side, side);
    Tensor inside = rectangles(edges, x.size(2));
    // The share of pixels that were really kept.
    double kept = 1 - inside.to(DType.FLOAT32).mean().item();
    return new ImageBatch(others.where(inside, x), blend(targets, targets.roll(1, 0), kept));
  }

  private static Tensor blend(Tensor a, Tensor b, double share) {
    return a.mul(share).add(b, 1 - share);
  }
}
