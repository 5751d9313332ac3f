package dev.jformer.nn.factorized;

import dev.jformer.nn.Initializer;
import dev.jformer.nn.internal.BitMask;
import dev.jformer.nn.internal.Int8Rows;
import dev.jformer.nn.internal.NonzeroPositions;
import dev.jformer.nn.internal.RowIndices;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/**
 * The format of dense-sparse factors of a matrix W [out, in] (<a
 * href="https://arxiv.org/abs/2312.13211">DSFormer: Effective Compression of Text-Transformers by
 * Dense-Sparse Weight Factorization</a>). The outputs are cut into blocks; the columns of a block,
 * transposed, are {@code Cₖ Dₖ}: a basis Dₖ [basis, block] of dense vectors, and coefficients Cₖ
 * [in, basis] with a row for each input, in which {@code nonzeros} elements are not zero.
 *
 * @param in number of inputs
 * @param out number of outputs; the last block may be partly unused
 * @param block number of outputs of a block
 * @param basis number of vectors of a basis
 * @param nonzeros number of coefficients of an input in a block
 */
public record DenseSparseFormat(long in, long out, int block, int basis, int nonzeros) {
  private static final int FLOAT = 32;

  /**
   * Finds the format with the most coefficients that fit.
   *
   * @param factor the compression: bytes of W in float32 over those of the factors
   * @param block the most outputs of a block
   * @param basis the most vectors of a basis, which takes at most half of the bytes
   * @throws IllegalArgumentException if not even one coefficient fits
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

  /** Number of rows of all coefficients. */
  long rows() {
    return blocks() * in;
  }

  /** Whether column indices take fewer bits than a bit mask. */
  private boolean usesIndices() {
    return nonzeros * RowIndices.bits(basis) < basis;
  }

  /** Creates the storage of the coefficients' positions. */
  NonzeroPositions positions() {
    return usesIndices() ? new RowIndices(rows(), basis, nonzeros) : new BitMask(rows(), basis);
  }

  private double bits() {
    double places = usesIndices() ? nonzeros * RowIndices.bits(basis) : basis;
    double packed = 8 * Math.ceil(rows() * places / 8);
    return (double) FLOAT * blocks() * basis * block + FLOAT * rows() * nonzeros + packed;
  }

  /**
   * Checks that a mask keeps {@link #nonzeros} coefficients of each row.
   *
   * @param mask bool [blocks, in, basis]
   * @throws IllegalArgumentException if it does not
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
              + " of each row");
    }
  }

  /**
   * Selects the largest coefficients of each row by absolute value.
   *
   * @param coefficients [blocks, in, basis]
   * @return a tensor of the same shape, 1 where a coefficient is selected, else 0
   */
  Tensor largest(Tensor coefficients) {
    Tensor sizes = coefficients.detach().abs();
    return sizes.zerosLike().scatter(2, sizes.topK(nonzeros, 2).indices(), 1.0);
  }

  /**
   * Computes W from its factors.
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
   * Cuts W into blocks, padding the last with zeros.
   *
   * @param matrix [out, in]
   * @return [blocks, in, block]
   * @throws IllegalArgumentException if values are not finite
   */
  public Tensor cut(Tensor matrix) {
    Int8Rows.finite(matrix);
    long missing = blocks() * block - out;
    Tensor whole =
        missing == 0 ? matrix : Tensor.cat(0, matrix, Tensor.zeros(matrix.dtype(), missing, in));
    return whole.reshape(blocks(), block, in).transpose(1, 2).contiguous();
  }

  /**
   * Draws initial coefficients and bases such that the variance of W is that of an initializer.
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
