package dev.jformer.kernels;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Products with a matrix of integers, cut into panels of {@value #HEIGHT} rows, each of which is
 * held column after column. Each block of adjacent columns has a scale for each row, and an offset
 * if wanted: a value is the integer, less a zero, times the scale, plus the offset. Blocks that fit
 * the fastest cache are copied to an array and multiplied there.
 */
public abstract sealed class PanelKernel extends RowKernel permits Panel4Kernel, Panel8Kernel {
  /** Rows of a panel. */
  public static final int HEIGHT = 64;

  static final VectorSpecies<Float> F = VectorApi.Species.FLOATS;
  static final int LANES = F.length();

  /** Bytes that are copied at a time, or a whole block. */
  private static final int PIECE = 16 << 10;

  /** Columns that share scales. */
  final int block;

  /** Bytes from one column of a panel to the next. */
  final int pitch;

  private final ByteBuffer codes;
  private final FloatBuffer scales;
  private final FloatBuffer offsets;
  private final int blocks;

  /** The most blocks that are copied at a time. */
  private final int most;

  /**
   * Creates products with a matrix; the arrays have to live as long as this.
   *
   * @param codes uint8 [panels, K, bytes]
   * @param scales float32 [panels, blocks, HEIGHT]
   * @param offsets float32 [panels, blocks, HEIGHT], or null
   */
  PanelKernel(ByteBuffer codes, ByteBuffer scales, ByteBuffer offsets, int rows, int width) {
    super(rows, width);
    this.codes = codes;
    this.scales = floats(scales);
    this.offsets = offsets == null ? null : floats(offsets);
    this.pitch = codes.remaining() / parts() / width;
    this.blocks = this.scales.remaining() / parts() / HEIGHT;
    this.block = width / blocks;
    this.most = Math.max(1, PIECE / (block * pitch));
  }

  private static FloatBuffer floats(ByteBuffer memory) {
    return memory.duplicate().order(ByteOrder.nativeOrder()).asFloatBuffer();
  }

  /** As many as there are panels. */
  @Override
  public final int parts() {
    return (rows + HEIGHT - 1) / HEIGHT;
  }

  /** The number of floats of a prepared row: its elements, and the sums of blocks. */
  final int stride() {
    return width + blocks;
  }

  @Override
  public final float[] prepared(float[] x, int count) {
    float[] made = new float[count * stride()];
    for (int row = 0; row < count; row++) {
      int at = row * stride();
      System.arraycopy(x, row * width, made, at, width);
      for (int group = 0; group < blocks; group++) {
        float sum = 0;
        for (int i = group * block; i < (group + 1) * block; i++) {
          sum += made[at + i];
        }
        made[at + width + group] = sum;
      }
    }
    return made;
  }

  @Override
  public final void multiply(float[] x, float[] y, int count, int from, int end) {
    float[] results = new float[count * HEIGHT];
    for (int panel = from; panel < end; panel++) {
      Arrays.fill(results, 0);
      for (int first = 0; first < blocks; first += most) {
        multiply(x, results, count, panel, first, Math.min(blocks - first, most));
      }
      int some = Math.min(HEIGHT, rows - panel * HEIGHT);
      for (int row = 0; row < count; row++) {
        System.arraycopy(results, row * HEIGHT, y, row * rows + panel * HEIGHT, some);
      }
    }
  }

  /**
   * A block in arrays.
   *
   * @param codes column after column
   * @param start where the block's begin
   * @param scales of the results
   * @param place where the block's begin
   */
  record Piece(byte[] codes, int start, float[] scales, int place) {}

  /** Adds what consecutive blocks add to the results of a panel [count, HEIGHT]. */
  private void multiply(float[] x, float[] y, int count, int panel, int first, int some) {
    Scratch scratch = Scratch.ofThread();
    int columns = panel * width + first * block;
    int place = (panel * blocks + first) * HEIGHT;
    byte[] integers = scratch.copied(codes, columns * pitch, some * block * pitch);
    float[] factors = scratch.copied(scales, place, some * HEIGHT);
    float[] shifts = offsets == null ? null : scratch.copiedToo(offsets, place, some * HEIGHT);
    for (int i = 0; i < some; i++) {
      Piece piece = new Piece(integers, i * block * pitch, factors, i * HEIGHT);
      int group = first + i;
      for (int row = 0; row < count; row += 2) {
        int at = row * stride();
        float sum = x[at + width + group];
        if (row + 1 == count) {
          one(piece, x, at + group * block, sum, y, row * HEIGHT);
        } else {
          float other = x[at + stride() + width + group];
          two(piece, x, at + group * block, sum, other, y, row * HEIGHT);
          shift(shifts, i * HEIGHT, other, y, (row + 1) * HEIGHT);
        }
        shift(shifts, i * HEIGHT, sum, y, row * HEIGHT);
      }
    }
  }

  /**
   * Adds a block's part of a panel's results, but for the offsets.
   *
   * @param at where the block begins in x
   * @param sum of the block's x
   * @param to where the results begin in y
   */
  abstract void one(Piece piece, float[] x, int at, float sum, float[] y, int to);

  /**
   * The same for two consecutive rows. A method for four would be too large to be compiled well.
   *
   * @param other the sum of the second row's x
   */
  abstract void two(Piece piece, float[] x, int at, float sum, float other, float[] y, int to);

  /** Adds the offsets, if there are any, times a sum. */
  private static void shift(float[] shifts, int place, float sum, float[] y, int to) {
    if (shifts == null) {
      return;
    }
    FloatVector times = FloatVector.broadcast(F, sum);
    for (int i = 0; i < HEIGHT; i += LANES) {
      FloatVector before = FloatVector.fromArray(F, y, to + i);
      FloatVector.fromArray(F, shifts, place + i).fma(times, before).intoArray(y, to + i);
    }
  }

  /** Adds scaled sums to results. */
  static void add(FloatVector sums, float[] scales, int at, float[] y, int to) {
    FloatVector before = FloatVector.fromArray(F, y, to);
    sums.fma(FloatVector.fromArray(F, scales, at), before).intoArray(y, to);
  }
}
