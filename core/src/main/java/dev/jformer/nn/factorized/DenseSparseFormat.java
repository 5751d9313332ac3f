package dev.jformer.nn.factorized;

import dev.jformer.nn.Initializer;
import dev.jformer.nn.internal.BitMask;
import dev.jformer.nn.internal.Int8Rows;
import dev.jformer.nn.internal.NonzeroPositions;
import dev.jformer.nn.internal.RowIndices;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/**
 * How a matrix W [out, in] is written as dense-sparse factors (arXiv 2312.13211). The outputs are
 * cut into blocks; the columns of a block, transposed, are {@code Cₖ Dₖ}: a basis Dₖ [basis, block]
 * of dense vectors, and coefficients Cₖ [in, basis] of whose rows, one for each input, {@code
 * nonzeros} are not zero.
 *
 * @param in inputs
 * @param out outputs; the last block may have room for more
 * @param block outputs of a block
 * @param basis vectors of a basis
 * @param nonzeros coefficients of an input in a block
 */
public record DenseSparseFormat(long in, long out, int block, int basis, int nonzeros) {
  private static final int FLOAT = 32;

  /**
   * As many coefficients as fit.
   *
   * @param factor how many times fewer bytes the factors shall take than W in float32
   * @param block outputs of a block, at most
   * @param basis vectors of a basis, at most: it takes no more than half of the bytes that there
   *     are
   * @throws IllegalArgumentException if not one fits
   */
  static DenseSparseFormat fitting(long in, long out, double factor, int block, int basis) {
    int outputs = (int) Math.min(block, out);
    int vectors = (int) Math.max(1, Math.min(basis, Math.floor(in / (2 * factor))));
    double most = FLOAT * in * out / factor;
    int nonzeros = 0;
    while (nonzeros < Math.min(vectors, outputs)
        && new DenseSparseFormat(in, out, outputs, vectors, nonzeros + 1).bits() <= most) {
      nonzeros++;
    }
    if (nonzeros == 0) {
      throw new IllegalArgumentException(
          "a layer of "
              + in
              + " inputs and "
              + out
              + " outputs is too small for dense-sparse factors of 1/"
              + factor
              + " of its bytes: choose a smaller factor or fewer outputs in a block than "
              + block);
    }
    return new DenseSparseFormat(in, out, outputs, vectors, nonzeros);
  }

  /** Number of blocks. */
  public long blocks() {
    return (out + block - 1) / block;
  }

  /** Rows of all coefficients. */
  long rows() {
    return blocks() * in;
  }

  /** Whether the numbers of the columns take fewer bits than a bit for each. */
  private boolean isNumbered() {
    return nonzeros * RowIndices.bits(basis) < basis;
  }

  /** What keeps the places of the coefficients. */
  NonzeroPositions positions() {
    return isNumbered() ? new RowIndices(rows(), basis, nonzeros) : new BitMask(rows(), basis);
  }

  private double bits() {
    double places = isNumbered() ? nonzeros * RowIndices.bits(basis) : basis;
    double packed = 8 * Math.ceil(rows() * places / 8);
    return (double) FLOAT * blocks() * basis * block + FLOAT * rows() * nonzeros + packed;
  }

  /**
   * Refuses masks that do not keep {@link #nonzeros} coefficients of each row.
   *
   * @param mask bool [blocks, in, basis]
   * @throws IllegalArgumentException if it is such a mask
   */
  void expect(Tensor mask) {
    Tensor counts = mask.to(DType.FLOAT64).sum(2, false);
    if (!counts.eq(nonzeros).all()) {
      throw new IllegalArgumentException(
          "a row of the mask keeps "
              + (long) counts.min().item()
              + " to "
              + (long) counts.max().item()
              + " coefficients: expected "
              + nonzeros
              + " of each");
    }
  }

  /**
   * The largest coefficients of each row.
   *
   * @param coefficients [blocks, in, basis]
   * @return as many, 1 where one is among the largest of its row by absolute value, else 0
   */
  Tensor largest(Tensor coefficients) {
    Tensor sizes = coefficients.detach().abs();
    return sizes.zerosLike().scatter(2, sizes.topK(nonzeros, 2).indices(), 1.0);
  }

  /**
   * W.
   *
   * @param coefficients [blocks, in, basis]
   * @param bases [blocks, basis, block]
   * @return [out, in]
   */
  Tensor matrix(Tensor coefficients, Tensor bases) {
    Tensor columns = coefficients.matmul(bases).transpose(1, 2);
    return columns.reshape(blocks() * block, in).narrow(0, 0, out);
  }

  /**
   * The blocks of W, zeros where the last has none.
   *
   * @param matrix [out, in]
   * @return [blocks, in, block]
   * @throws IllegalArgumentException if numbers are not finite
   */
  public Tensor cut(Tensor matrix) {
    Int8Rows.finite(matrix);
    long missing = blocks() * block - out;
    Tensor whole =
        missing == 0 ? matrix : Tensor.cat(0, matrix, Tensor.zeros(matrix.dtype(), missing, in));
    return whole.reshape(blocks(), block, in).transpose(1, 2).contiguous();
  }

  /**
   * Coefficients and bases to start from, drawn so that the variance of W is an initializer's.
   *
   * @return coefficients [blocks, in, basis], all of them drawn, and bases [blocks, basis, block]
   */
  Tensor[] drawn(Initializer initializer) {
    Tensor coefficients = initializer.create(rows(), basis).reshape(blocks(), in, basis);
    Tensor kept = coefficients.mul(largest(coefficients));
    double all = coefficients.to(DType.FLOAT64).norm().item();
    double some = kept.to(DType.FLOAT64).norm().item();
    double deviation = some == 0 ? 1 : all / some / Math.sqrt(basis);
    Tensor bases = Tensor.randn(blocks(), basis, block).mul(deviation);
    return new Tensor[] {coefficients, bases};
  }
}
