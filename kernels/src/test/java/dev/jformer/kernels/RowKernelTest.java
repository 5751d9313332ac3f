package dev.jformer.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Kernels beside plain loops in float64, with whole vectors and without. */
class RowKernelTest {
  private static final int MOST_ROWS = 9;
  private final Random random = new Random(5);

  @BeforeAll
  static void vectorsArePresent() {
    assertTrue(VectorApi.isPresent(), "start Java with --add-modules jdk.incubator.vector");
  }

  private static ByteBuffer memory(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static ByteBuffer memory(float[] values) {
    ByteBuffer memory = memory(Float.BYTES * values.length);
    memory.asFloatBuffer().put(values);
    return memory;
  }

  private float[] gaussian(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /** Compares products of 1 to 9 rows, in one share and in three. */
  private void check(double[] matrix, int rows, int width, RowKernel kernel, double scale) {
    for (int count = 1; count <= MOST_ROWS; count++) {
      float[] x = gaussian(count * width);
      float[] y = new float[count * rows];
      float[] ofShares = new float[count * rows];
      Arrays.fill(y, Float.NaN);
      Arrays.fill(ofShares, Float.NaN);
      float[] prepared = kernel.prepared(x, count);
      kernel.multiply(prepared, y, count, 0, kernel.parts());
      for (int share = 0; share < 3; share++) {
        int from = kernel.parts() * share / 3;
        kernel.multiply(prepared, ofShares, count, from, kernel.parts() * (share + 1) / 3);
      }
      for (int row = 0; row < count; row++) {
        for (int i = 0; i < rows; i++) {
          double expected = 0;
          for (int k = 0; k < width; k++) {
            expected += (double) x[row * width + k] * matrix[i * width + k];
          }
          String what = "result " + i + " of row " + row + " of " + count;
          double bound = 2e-6 * scale * Math.sqrt(width);
          assertEquals(expected, y[row * rows + i], bound, what);
          assertEquals(expected, ofShares[row * rows + i], bound, what + ", in shares");
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1,1", "3,31", "7,64", "64,576", "65,577", "200,1000", "301,129"})
  void bytes(int rows, int width) {
    byte[] codes = new byte[rows * width];
    random.nextBytes(codes);
    float[] scales = gaussian(rows);
    double[] matrix = new double[codes.length];
    for (int i = 0; i < matrix.length; i++) {
      matrix[i] = (double) codes[i] * scales[i / width];
    }
    ByteBuffer memory = memory(codes.length).put(codes).rewind();
    check(matrix, rows, width, new Int8Kernel(memory, scales, width), 128);
  }

  /** Panels of integers, and the matrix that they stand for. */
  private final class Panels {
    final int bits;
    final int rows;
    final int width;
    final int panels;
    final int pitch;
    final byte[] codes;
    final float[] scales;
    final float[] offsets;
    final double[] matrix;

    Panels(int bits, int rows, int width, int block, boolean shifted, int zero) {
      this.bits = bits;
      this.rows = rows;
      this.width = width;
      panels = (rows + PanelKernel.HEIGHT - 1) / PanelKernel.HEIGHT;
      pitch = PanelKernel.HEIGHT * bits / 8 + bits;
      codes = new byte[panels * width * pitch];
      random.nextBytes(codes);
      int count = panels * (width / block) * PanelKernel.HEIGHT;
      scales = gaussian(count);
      offsets = shifted ? gaussian(count) : null;
      matrix = new double[rows * width];
      for (int i = 0; i < matrix.length; i++) {
        int panel = i / width / PanelKernel.HEIGHT;
        int row = i / width % PanelKernel.HEIGHT;
        int column = i % width;
        int place = (panel * (width / block) + column / block) * PanelKernel.HEIGHT + row;
        int code = code((panel * width + column) * pitch, row);
        matrix[i] = (double) (code - zero) * scales[place] + (shifted ? offsets[place] : 0);
      }
    }

    private int code(int vector, int row) {
      if (bits == 8) {
        return codes[vector + row] & 0xff;
      }
      int pair = codes[vector + row / 2] & 0xff;
      return row % 2 == 0 ? pair % 16 : pair / 16;
    }

    ByteBuffer integers() {
      return memory(codes.length).put(codes).rewind();
    }

    ByteBuffer shifts() {
      return offsets == null ? null : memory(offsets);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1,32,32,false",
    "3,64,16,true",
    "63,32,32,true",
    "64,576,32,false",
    "130,96,32,true",
    "192,320,16,false",
    "577,64,32,true",
    "65,1536,32,true",
    "70,1024,256,false",
    "2500,64,32,true"
  })
  void panelsOfBytes(int rows, int width, int block, boolean shifted) {
    Panels panels = new Panels(8, rows, width, block, shifted, 128);
    ByteBuffer scales = memory(panels.scales);
    RowKernel kernel = new Panel8Kernel(panels.integers(), scales, panels.shifts(), rows, width);
    check(panels.matrix, rows, width, kernel, 128);
  }

  @ParameterizedTest
  @CsvSource({
    "1,32,32,false",
    "3,64,16,true",
    "63,32,32,true",
    "64,576,32,false",
    "130,96,32,true",
    "192,320,16,false",
    "577,64,32,true",
    "65,1536,32,false",
    "70,1024,256,true",
    "5001,64,32,true"
  })
  void panelsOfHalfBytes(int rows, int width, int block, boolean shifted) {
    int zero = shifted ? 0 : 8;
    Panels panels = new Panels(4, rows, width, block, shifted, zero);
    ByteBuffer scales = memory(panels.scales);
    RowKernel kernel =
        new Panel4Kernel(panels.integers(), scales, panels.shifts(), rows, width, zero);
    check(panels.matrix, rows, width, kernel, 16);
  }
}
