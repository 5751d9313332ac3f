package dev.jformer.incontext;

import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/**
 * One layer of linear self-attention with merged weights, for which gradient descent can be
 * followed in closed form (<a href="https://arxiv.org/abs/2306.09927">Trained Transformers Learn
 * Linear Models In-Context</a>): E + W_PV E (Eᵀ W_KQ E) / N for a prompt E of N examples and a
 * query. {@link LinearAttentionTheory} says what it learns.
 */
public final class LinearSelfAttention extends Module {
  private final Parameter keyQuery;
  private final Parameter projectionValue;
  private final int dimensions;

  /**
   * The paper's start: one number in W_PV, and a multiple of the identity in the part of W_KQ that
   * compares inputs, both of norm {@code scale}.
   *
   * @param dimensions d of the inputs
   * @param scale σ
   */
  public LinearSelfAttention(int dimensions, double scale) {
    this(LinearAttentionTheory.start(dimensions, scale));
  }

  /** A layer with given weights. */
  public LinearSelfAttention(LinearAttentionTheory.Weights weights) {
    dimensions = weights.keyQuery().length - 1;
    keyQuery = parameter("keyQuery", matrix(weights.keyQuery()));
    projectionValue = parameter("projectionValue", matrix(weights.projectionValue()));
  }

  private static Tensor matrix(double[][] rows) {
    double[] flat = new double[rows.length * rows.length];
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(rows[i], 0, flat, i * rows.length, rows.length);
    }
    return Tensor.of(flat, rows.length, rows.length).to(DType.FLOAT32);
  }

  /** The weights as they are. */
  public LinearAttentionTheory.Weights weights() {
    return new LinearAttentionTheory.Weights(rows(keyQuery.value()), rows(projectionValue.value()));
  }

  private double[][] rows(Tensor matrix) {
    double[] flat = matrix.detach().to(DType.FLOAT64).toDoubles();
    int size = dimensions + 1;
    double[][] rows = new double[size][size];
    for (int i = 0; i < flat.length; i++) {
      rows[i / size][i % size] = flat[i];
    }
    return rows;
  }

  /**
   * Predicts the outputs of queries.
   *
   * @param prompts [B, d+1, N+1], the query last, its output 0
   * @return [B]
   */
  public Tensor forward(Tensor prompts) {
    long columns = prompts.size(2);
    Tensor query = prompts.narrow(2, columns - 1, 1); // [B, d+1, 1]
    // The query's column of E (Eᵀ W_KQ E); its own output is 0, but its input counts.
    Tensor weights = prompts.transpose(1, 2).matmul(keyQuery.value().matmul(query));
    Tensor values = projectionValue.value().narrow(0, dimensions, 1).matmul(prompts);
    return values.matmul(weights).reshape(prompts.size(0)).div(columns - 1.0);
  }
}
