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
      float[] sum = new float[count * rows];
      for (int share = 0; share < 3; share++) {
        int from = kernel.parts() * share / 3;
        kernel.multiply(prepared, ofShares, count, from, kernel.parts() * (share + 1) / 3);
        for (int i = 0; i < sum.length && kernel.isSum(); i++) {
          sum[i] += ofShares[i];
        }
      }
      float[] shared = kernel.isSum() ? sum : ofShares;
      for (int row = 0; row < count; row++) {
        for (int i = 0; i < rows; i++) {
          double expected = 0;
          for (int k = 0; k < width; k++) {
            expected += (double) x[row * width + k] * matrix[i * width + k];
          }
          String what = "result " + i + " of row " + row + " of " + count;
          double bound = 2e-6 * scale * Math.sqrt(width);
          assertEquals(expected, y[row * rows + i], bound, what);
          assertEquals(expected, shared[row * rows + i], bound, what + ", in shares");
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

  @ParameterizedTest
  @CsvSource({
    "1,32,32,false",
    "3,64,16,true",
    "63,32,32,true",
    "64,576,32,false",
    "130,96,32,true",
    "192,320,16,false",
    "577,64,32,true",
    "1600,288,32,true",
    "2500,64,32,true"
  })
  void columnsOfBytes(int rows, int width, int block, boolean shifted) {
    int stride = rows + 8;
    byte[] codes = new byte[width * stride];
    random.nextBytes(codes);
    float[] scales = gaussian(width / block * rows);
    float[] offsets = shifted ? gaussian(width / block * rows) : null;
    double[] matrix = new double[rows * width];
    for (int i = 0; i < matrix.length; i++) {
      int row = i / width;
      int column = i % width;
      int place = column / block * rows + row;
      matrix[i] =
          (double) ((codes[column * stride + row] & 0xff) - 128) * scales[place]
              + (shifted ? offsets[place] : 0);
    }
    ByteBuffer memory = memory(codes.length).put(codes).rewind();
    ByteBuffer shifts = shifted ? memory(offsets) : null;
    check(matrix, rows, width, new Column8Kernel(memory, memory(scales), shifts, rows, width), 128);
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
    "1600,288,32,false",
    "5001,64,32,true"
  })
  void columnsOfHalfBytes(int rows, int width, int block, boolean shifted) {
    int stride = (rows + 1) / 2 + 4;
    byte[] codes = new byte[width * stride];
    random.nextBytes(codes);
    int zero = shifted ? 0 : 8;
    float[] scales = gaussian(width / block * rows);
    float[] offsets = shifted ? gaussian(width / block * rows) : null;
    double[] matrix = new double[rows * width];
    for (int i = 0; i < matrix.length; i++) {
      int row = i / width;
      int column = i % width;
      int place = column / block * rows + row;
      int pair = codes[column * stride + row / 2] & 0xff;
      matrix[i] =
          (double) ((row % 2 == 0 ? pair % 16 : pair / 16) - zero) * scales[place]
              + (shifted ? offsets[place] : 0);
    }
    ByteBuffer memory = memory(codes.length).put(codes).rewind();
    ByteBuffer shifts = shifted ? memory(offsets) : null;
    RowKernel kernel = new Column4Kernel(memory, memory(scales), shifts, rows, width, zero);
    check(matrix, rows, width, kernel, 16);
  }
}
