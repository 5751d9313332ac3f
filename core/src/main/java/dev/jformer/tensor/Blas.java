package dev.jformer.tensor;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.mkl.global.mkl_rt;
import org.bytedeco.openblas.global.openblas_nolapack;

/** Products of float32 matrices by address, row after row, with the BLAS in use. */
final class Blas {
  /**
   * On AMD processors MKL's matrix-vector product reads memory more slowly than its product with
   * two equal vectors, up to this width (measured on an EPYC, one thread, GB/s: 256 wide 5.7
   * against 14, 768: 10.5 against 17, 1536: 11.5 against 16, 2048: 12.8 against 11.6).
   */
  private static final int WIDEST_PAIR = 1536;

  private static final boolean IS_MKL = Engine.blas().equals("mkl");
  private static final boolean PAIRS = IS_MKL && Engine.isAmd();
  private static final int ROW_MAJOR = openblas_nolapack.CblasRowMajor;
  private static final int PLAIN = openblas_nolapack.CblasNoTrans;
  private static final int TRANSPOSED = openblas_nolapack.CblasTrans;

  private Blas() {}

  /**
   * Sets how many threads products use that this thread calls for.
   *
   * @param threads 0 for as many as the engine has
   * @return what it was before
   */
  static int threads(int threads) {
    return IS_MKL ? mkl_rt.MKL_Set_Num_Threads_Local(threads) : 0;
  }

  /** How many copies of a vector of a width are multiplied faster than one: 1 or 2. */
  static int copies(int width) {
    return PAIRS && width <= WIDEST_PAIR ? 2 : 1;
  }

  /**
   * Computes {@code factor * A Bᵀ}.
   *
   * @param a [m, k]
   * @param b [n, k]
   * @param result [m, n], each row {@code stride} floats after the one before
   */
  static void timesTransposed(
      float factor,
      FloatPointer a,
      FloatPointer b,
      FloatPointer result,
      int m,
      int n,
      int k,
      int stride) {
    if (m == 1) {
      openblas_nolapack.cblas_sgemv(ROW_MAJOR, PLAIN, n, k, factor, b, k, a, 1, 0, result, 1);
    } else {
      openblas_nolapack.cblas_sgemm(
          ROW_MAJOR, PLAIN, TRANSPOSED, m, n, k, factor, a, k, b, k, 0, result, stride);
    }
  }

  /**
   * Computes {@code A B}.
   *
   * @param a [m, k]
   * @param b [k, n]
   * @param result [m, n]
   */
  static void times(FloatPointer a, FloatPointer b, FloatPointer result, int m, int n, int k) {
    if (m == 1) {
      openblas_nolapack.cblas_sgemv(ROW_MAJOR, TRANSPOSED, k, n, 1, b, n, a, 1, 0, result, 1);
    } else {
      openblas_nolapack.cblas_sgemm(ROW_MAJOR, PLAIN, PLAIN, m, n, k, 1, a, k, b, n, 0, result, n);
    }
  }

  /**
   * Adds {@code a B} to a vector.
   *
   * @param a [k]
   * @param b [k, n]
   * @param result [n]
   */
  static void addTimes(FloatPointer a, FloatPointer b, FloatPointer result, int n, int k) {
    openblas_nolapack.cblas_sgemv(ROW_MAJOR, TRANSPOSED, k, n, 1, b, n, a, 1, 1, result, 1);
  }

  /** Adds a vector to another. */
  static void add(FloatPointer x, FloatPointer to, int count) {
    openblas_nolapack.cblas_saxpy(count, 1, x, 1, to, 1);
  }
}
