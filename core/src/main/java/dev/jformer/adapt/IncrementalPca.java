package dev.jformer.adapt;

import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * Principal components of rows that come in batches, of <a
 * href="https://doi.org/10.1007/s11263-007-0075-7">Incremental Learning for Robust Visual
 * Tracking</a>. Each batch is joined with the components so far, weighted by their singular values,
 * and with a row for the change of the mean; the singular vectors of that matrix are the new
 * components. The mean is subtracted. It equals scikit-learn's {@code IncrementalPCA}, computed in
 * float64.
 *
 * <p>If far fewer components are wanted than the matrix has, the leading singular vectors are found
 * by subspace iteration from fixed random vectors, as in <a
 * href="https://arxiv.org/abs/0909.4061">Finding Structure with Randomness: Probabilistic
 * Algorithms for Constructing Approximate Matrix Decompositions</a>.
 */
public final class IncrementalPca implements AutoCloseable {
  private static final Operator SVD = Operator.named("aten::linalg_svd");
  private static final Operator QR = Operator.named("aten::linalg_qr");
  private static final int ITERATIONS = 4;
  private static final int OVERSAMPLING = 2;

  /** Up to this size a full decomposition takes no time. */
  private static final long SMALL = 128;

  private final int count;
  private final boolean exact;
  private Tensor components;
  private Tensor singular;
  private Tensor mean;
  private Tensor variance;
  private Tensor ratios;
  private Tensor directions;
  private long seen;

  /**
   * Creates an analysis without data.
   *
   * @param count number of components
   * @param exact whether singular vectors are always found by a full decomposition
   */
  public IncrementalPca(int count, boolean exact) {
    this.count = count;
    this.exact = exact;
  }

  /** Number of components. */
  public int count() {
    return count;
  }

  /**
   * Adds a batch.
   *
   * @param rows [n, d], finite
   * @return whether it was added: the first batch must have at least {@link #count} rows
   */
  public boolean add(Tensor rows) {
    long n = rows.size(0);
    if (n == 0 || (components == null && n < count)) {
      return false;
    }
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor x = rows.detach().to(DType.FLOAT64);
      Tensor batchMean = x.mean(0, false);
      Tensor newMean = batchMean;
      Tensor squares = x.sub(batchMean).square().sum(0, false);
      Tensor matrix = x.sub(batchMean);
      if (components != null) {
        long total = seen + n;
        newMean = mean.mul((double) seen / total).add(batchMean, (double) n / total);
        Tensor change = mean.sub(batchMean);
        Tensor correction = change.mul(Math.sqrt((double) seen / total * n)).unsqueeze(0);
        squares = squares.add(variance.mul((double) seen)).add(correction.squeeze(0).square());
        matrix = Tensor.cat(0, components.mul(singular.unsqueeze(1)), matrix, correction);
      }
      seen += n;
      Decomposition found = decompose(matrix);
      components = kept(components, found.vectors());
      singular = kept(singular, found.values());
      mean = kept(mean, newMean);
      variance = kept(variance, squares.div((double) seen));
      ratios = kept(ratios, found.values().square().div(squares.sum()));
      return true;
    }
  }

  private static Tensor kept(Tensor old, Tensor now) {
    if (old != null) {
      old.close();
    }
    return now.copy().keep();
  }

  private record Decomposition(Tensor values, Tensor vectors) {}

  /** The leading singular values and right singular vectors, the largest entry of each positive. */
  private Decomposition decompose(Tensor matrix) {
    long least = Math.min(matrix.size(0), matrix.size(1));
    long sketch = (long) OVERSAMPLING * count;
    Tensor narrow =
        exact || least <= Math.max(SMALL, 2 * sketch) ? matrix : sketched(matrix, sketch);
    List<Tensor> svd = SVD.callAll(narrow, false);
    Tensor vectors = svd.get(2).narrow(0, 0, count);
    Tensor largest = vectors.abs().argmax(1).unsqueeze(1);
    return new Decomposition(
        svd.get(1).narrow(0, 0, count), vectors.mul(vectors.gather(1, largest).sign()));
  }

  /** A matrix of few rows with about the same leading right singular vectors and values. */
  private Tensor sketched(Tensor matrix, long rows) {
    if (directions == null) {
      directions = FixedDirections.of(matrix.size(1), rows).keep();
    }
    Tensor basis = orthonormal(matrix.matmul(directions));
    for (int i = 0; i < ITERATIONS; i++) {
      basis = orthonormal(matrix.matmul(orthonormal(matrix.t().matmul(basis))));
    }
    return basis.t().matmul(matrix);
  }

  private static Tensor orthonormal(Tensor columns) {
    return QR.callAll(columns, "reduced").get(0);
  }

  /** Whether a batch was added. */
  public boolean hasData() {
    return components != null;
  }

  /** The components, orthonormal rows, the one of largest variance first: float64 [count, d]. */
  public Tensor components() {
    return components;
  }

  /** The singular values of the centred rows, float64 [count]. */
  public Tensor singularValues() {
    return singular;
  }

  /** The share of all variance that each component explains, float64 [count]. */
  public Tensor explainedVarianceRatio() {
    return ratios;
  }

  /** The mean of all rows, float64 [d]. */
  public Tensor mean() {
    return mean;
  }

  @Override
  public void close() {
    for (Tensor each : new Tensor[] {components, singular, mean, variance, ratios, directions}) {
      if (each != null) {
        each.close();
      }
    }
  }
}
