package dev.jformer.data.image;

import dev.jformer.config.Checks;
import dev.jformer.tensor.Tensor;
import java.util.SplittableRandom;

/**
 * Draws masks that hide random parts of images: rectangles, and strokes of a brush along a path
 * with corners. Shapes are added until the drawn share of the pixels is hidden, to the pixel; the
 * last one may be cut off.
 *
 * @param least the smallest share of the pixels that is hidden
 * @param most the largest share; shares are drawn evenly between both
 * @param strokes share of the shapes that are strokes; the others are rectangles
 */
public record RandomMasks(double least, double most, double strokes) {
  /** Defaults: a tenth to six tenths hidden, as many strokes as rectangles. */
  public RandomMasks() {
    this(0.1, 0.6, 0.5);
  }

  /** Checks the values. */
  public RandomMasks {
    Checks.share("least", least);
    Checks.share("most", most);
    Checks.check(least <= most, "least", least, "at most the largest share, " + most);
    Checks.check(strokes >= 0 && strokes <= 1, "strokes", strokes, "a share from 0 to 1");
  }

  /**
   * Draws the masks of some images.
   *
   * @return bool [B, 1, H, W], true for visible pixels
   */
  public Tensor visible(SplittableRandom random, int images, int height, int width) {
    boolean[] all = new boolean[images * height * width];
    for (int i = 0; i < images; i++) {
      boolean[] hidden = draw(random, height, width);
      for (int p = 0; p < hidden.length; p++) {
        all[i * hidden.length + p] = !hidden[p];
      }
    }
    return Tensor.of(all, images, 1, height, width);
  }

  /**
   * Draws a mask.
   *
   * @return whether each pixel is hidden, row by row; at least one is, and at least one is not if
   *     there are two
   */
  public boolean[] draw(SplittableRandom random, int height, int width) {
    int area = height * width;
    double share = least + (most - least) * random.nextDouble();
    int wanted = (int) Math.round(share * area);
    Canvas canvas = new Canvas(height, width, Math.max(1, Math.min(Math.max(1, area - 1), wanted)));
    while (canvas.left > 0) {
      if (random.nextDouble() < strokes) {
        stroke(canvas, random);
      } else {
        rectangle(canvas, random);
      }
    }
    return canvas.hidden;
  }

  private static void rectangle(Canvas canvas, SplittableRandom random) {
    int high = side(canvas.height, random);
    int wide = side(canvas.width, random);
    int top = random.nextInt(canvas.height - high + 1);
    int left = random.nextInt(canvas.width - wide + 1);
    for (int y = top; y < top + high; y++) {
      for (int x = left; x < left + wide; x++) {
        canvas.hide(y, x);
      }
    }
  }

  /** An eighth to five eighths of a side. */
  private static int side(int whole, SplittableRandom random) {
    return Math.max(1, (int) Math.round(whole * (0.125 + 0.5 * random.nextDouble())));
  }

  private static void stroke(Canvas canvas, SplittableRandom random) {
    double size = Math.min(canvas.height, canvas.width);
    double radius = Math.max(0.75, size * (0.04 + 0.06 * random.nextDouble()));
    double y = random.nextDouble() * canvas.height;
    double x = random.nextDouble() * canvas.width;
    int corners = 2 + random.nextInt(4);
    for (int i = 0; i < corners; i++) {
      double angle = 2 * Math.PI * random.nextDouble();
      double length = size * (0.1 + 0.4 * random.nextDouble());
      for (double done = 0; done <= length; done += 0.5) {
        canvas.dot(y, x, radius);
        y = Math.max(0, Math.min(canvas.height, y + 0.5 * Math.sin(angle)));
        x = Math.max(0, Math.min(canvas.width, x + 0.5 * Math.cos(angle)));
      }
    }
  }

  private static final class Canvas {
    private final int height;
    private final int width;
    private final boolean[] hidden;
    private int left;

    Canvas(int height, int width, int left) {
      this.height = height;
      this.width = width;
      this.hidden = new boolean[height * width];
      this.left = left;
    }

    void hide(int y, int x) {
      int at = y * width + x;
      if (left > 0 && !hidden[at]) {
        hidden[at] = true;
        left--;
      }
    }

    /** Hides the pixels whose middle lies in a circle. */
    void dot(double y, double x, double radius) {
      int bottom = Math.min(height - 1, (int) Math.floor(y + radius));
      int right = Math.min(width - 1, (int) Math.floor(x + radius));
      for (int i = Math.max(0, (int) Math.floor(y - radius)); i <= bottom; i++) {
        for (int j = Math.max(0, (int) Math.floor(x - radius)); j <= right; j++) {
          if (Math.hypot(i + 0.5 - y, j + 0.5 - x) <= radius) {
            hide(i, j);
          }
        }
      }
    }
  }
}
