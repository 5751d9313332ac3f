package dev.jformer.data.algorithm;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.data.DataException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * The Pathfinder task: an image, read pixel by pixel, shows dashed paths and two dots; are the dots
 * the ends of one path (class 1) or of two (class 0)? In both cases there are two paths of the same
 * length, and shorter ones to distract. Paths of <a
 * href="https://arxiv.org/abs/1805.08315">Learning long-range spatial dependencies with horizontal
 * gated recurrent units</a>, as sequences of <a href="https://arxiv.org/abs/2011.04006">Long Range
 * Arena</a>, whose images have 32 rows; here pixels are background {@code .}, dash {@code #} or dot
 * {@code o}.
 *
 * <p>Dashes of one path are at most {@code gap} pixels apart. Pixels of different paths are farther
 * apart than that, also diagonally, so an image has one right answer, which a search from dot to
 * dot over such gaps finds.
 *
 * @param side rows and columns of an image
 * @param length pixels of the two long paths, gaps included
 * @param distractors number of paths of half that length
 * @param dash pixels of a dash
 * @param gap pixels between two dashes
 */
@AutoService(Problem.class)
public record Pathfinder(int side, int length, int distractors, int dash, int gap)
    implements Classified {
  private static final String BACKGROUND = ".";
  private static final String DASH = "#";
  private static final String DOT = "o";

  /** The largest turn of a path at a pixel, in radians. */
  private static final double TURN = 0.6;

  private static final int PATHS_IN_VAIN = 200;
  private static final int IMAGES_IN_VAIN = 2000;

  /** Defaults: images of 16 x 16 pixels. */
  public Pathfinder() {
    this(16, 14, 2, 2, 1);
  }

  /** Checks the values. */
  public Pathfinder {
    Checks.between("side", side, 8, 1000);
    Checks.between("length", length, 4, side * side / 4);
    Checks.between("distractors", distractors, 0, side);
    Checks.between("dash", dash, 1, length);
    Checks.between("gap", gap, 1, side / 4);
  }

  @Override
  public String type() {
    return "pathfinder";
  }

  @Override
  public List<String> tokens() {
    return List.of(BACKGROUND, DASH, DOT);
  }

  @Override
  public List<String> classes() {
    return List.of("0", "1");
  }

  @Override
  public int longest() {
    return side * side;
  }

  @Override
  public Example draw(RandomGenerator random) {
    for (int inVain = 0; inVain < IMAGES_IN_VAIN; inVain++) {
      Canvas canvas = new Canvas(random);
      if (canvas.drawPaths()) {
        boolean joined = random.nextBoolean();
        canvas.drawDots(joined);
        return new Example(canvas.symbols(), List.of(joined ? "1" : "0"), Map.of());
      }
    }
    throw new DataException(
        "no image of "
            + side
            + " rows had room for two paths of "
            + length
            + " pixels and "
            + distractors
            + " of half of that: raise side, or lower length or distractors");
  }

  private final class Canvas {
    private final RandomGenerator random;
    private final String[] pixels = new String[side * side];

    /** Pixels on or near a path that is there. */
    private final boolean[] taken = new boolean[side * side];

    private final List<int[]> paths = new ArrayList<>();

    Canvas(RandomGenerator random) {
      this.random = random;
      Arrays.fill(pixels, BACKGROUND);
    }

    /** Draws all paths; false if one finds no room. */
    boolean drawPaths() {
      for (int i = 0; i < 2 + distractors; i++) {
        int[] path = path(i < 2 ? length : Math.max(2, length / 2));
        if (path == null) {
          return false;
        }
        paths.add(path);
        for (int at = 0; at < path.length; at++) {
          if (at % (dash + gap) < dash || at == path.length - 1) {
            pixels[path[at]] = DASH;
          }
          take(path[at]);
        }
      }
      return true;
    }

    /** Keeps other paths more than a gap away, also diagonally. */
    private void take(int pixel) {
      int far = gap + 1;
      for (int row = Math.max(0, pixel / side - far);
          row <= Math.min(side - 1, pixel / side + far);
          row++) {
        int from = Math.max(0, pixel % side - far);
        int to = Math.min(side - 1, pixel % side + far);
        Arrays.fill(taken, row * side + from, row * side + to + 1, true);
      }
    }

    /** A smooth path of different pixels, each beside the one before; null if none is found. */
    private int[] path(int count) {
      for (int inVain = 0; inVain < PATHS_IN_VAIN; inVain++) {
        double x = random.nextDouble(side);
        double y = random.nextDouble(side);
        double direction = random.nextDouble(2 * Math.PI);
        List<Integer> path = new ArrayList<>();
        while (path.size() < count && isFree(x, y)) {
          int pixel = ((int) y) * side + (int) x;
          if (!path.contains(pixel)) {
            path.add(pixel);
          } else if (path.get(path.size() - 1) != pixel) {
            break; // it crosses itself
          }
          direction += TURN * (2 * random.nextDouble() - 1);
          x += Math.cos(direction);
          y += Math.sin(direction);
        }
        if (path.size() == count) {
          return path.stream().mapToInt(i -> i).toArray();
        }
      }
      return null;
    }

    private boolean isFree(double x, double y) {
      return x >= 0 && y >= 0 && x < side && y < side && !taken[((int) y) * side + (int) x];
    }

    /** Puts dots on both ends of one long path, or on one end of each. */
    void drawDots(boolean joined) {
      int[] first = paths.get(0);
      int[] second = paths.get(1);
      pixels[joined || random.nextBoolean() ? first[0] : first[first.length - 1]] = DOT;
      int[] other = joined ? first : second;
      pixels[joined || random.nextBoolean() ? other[other.length - 1] : other[0]] = DOT;
    }

    List<String> symbols() {
      return List.of(pixels);
    }
  }
}
