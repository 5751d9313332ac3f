package dev.jformer.mixer.linear;

import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * Causal sums of products of queries and keys, the core of linear attention (<a
 * href="https://arxiv.org/abs/2006.16236">Transformers are RNNs: Fast Autoregressive Transformers
 * with Linear Attention</a>, equations 10 and 11): for token t the sum over all j ≤ t of (q_t·k_j)
 * times a value of token j.
 *
 * <p>Tokens are cut into chunks. Inside a chunk the products form a triangle; what earlier chunks
 * contribute goes through the sums of k_j v_jᵀ before each chunk. Time and memory are O(T): there
 * is neither a T×T matrix nor an m×d one for each token. Later tokens do not change earlier results
 * by a bit, as long as they are finite.
 */
final class CausalProduct {
  /**
   * Tokens in a chunk. Larger ones do more work inside chunks, smaller ones keep more sums; 64 was
   * the fastest of 32, 64, 128 and 256 for 64 channels a head.
   */
  static final long CHUNK = 64;

  private final Tensor query;
  private final Tensor key;
  private final Tensor products;
  private final Tensor upper;
  private final long batch;
  private final long heads;
  private final long length;

  /**
   * Computes the products of tokens.
   *
   * @param query [B, H, T, m]
   * @param key [B, H, T, m]
   */
  CausalProduct(Tensor query, Tensor key) {
    this.batch = query.size(0);
    this.heads = query.size(1);
    this.length = query.size(2);
    this.query = chunks(query);
    this.key = chunks(key);
    this.products = this.key.matmul(this.query.t());
    this.upper = products.triu(0);
  }

  private CausalProduct(CausalProduct other) {
    this.batch = other.batch;
    this.heads = other.heads;
    this.length = other.length;
    this.query = other.key;
    this.key = other.query;
    this.products = other.products.t();
    this.upper = other.products.tril(0).t();
  }

  /** The product with queries and keys exchanged: for token t the sums of (k_t·q_i) over i ≤ t. */
  CausalProduct reversed() {
    return new CausalProduct(this);
  }

  /**
   * Computes Σ_{j≤t} (q_t·k_j) v_j.
   *
   * @param value [B, H, T, d]
   * @param past Σ k_j v_jᵀ over the tokens before these, to which these are added
   * @return [B, H, T, d]
   */
  Tensor values(Tensor value, RunningSum past) {
    return Scope.tidy(
        () -> {
          Tensor chunks = chunks(value);
          Tensor sums = key.t().matmul(chunks);
          Tensor before = before(sums.flatten(2, 3), past);
          Tensor result = upper.t().matmul(chunks);
          if (before != null) {
            result.add_(query.matmul(before.unflatten(2, key.size(3), -1)));
          }
          return tokens(result.flatten(1, 2).unflatten(0, batch, heads));
        });
  }

  /**
   * Computes Σ_{j≤t} (q_t·k_j) w_j.
   *
   * @param weight [B, H, T]; null for 1
   * @param past Σ k_j w_j over the tokens before these, to which these are added
   * @return [B, H, T]
   */
  Tensor sums(Tensor weight, RunningSum past) {
    return Scope.tidy(
        () -> {
          // Element-wise products and sums: libtorch's batched matrix-vector product takes several
          // times as long.
          Tensor column = weight == null ? null : chunks(weight.unsqueeze(3));
          Tensor before = before(weighted(key, column).sum(2, false), past);
          Tensor result = weighted(upper, column).sum(2, false);
          if (before != null) {
            result = result.add(query.mul(before.unsqueeze(2)).sum(3, false));
          }
          return tokens(result.flatten(1, 2).unflatten(0, batch, heads));
        });
  }

  private static Tensor weighted(Tensor rows, Tensor column) {
    return column == null ? rows : rows.mul(column);
  }

  /** The sums before each chunk [BH, N, F]; null if there are none. */
  private static Tensor before(Tensor sums, RunningSum past) {
    long chunks = sums.size(1);
    if (chunks == 1 && past == RunningSum.NONE) {
      return null;
    }
    Tensor before = past.plus(PrefixSums.exclusive(sums));
    past.set(before.narrow(1, chunks - 1, 1).add(sums.narrow(1, chunks - 1, 1)));
    return before;
  }

  /** Cuts [B, H, T, f] into [BH, N, C, f], padded with zeros at the end. */
  private Tensor chunks(Tensor x) {
    long count = (length + CHUNK - 1) / CHUNK;
    long chunk = (length + count - 1) / count;
    long missing = count * chunk - length;
    Tensor padded = missing == 0 ? x : Functional.pad(x, 0, 0, 0, 0, missing);
    return padded.reshape(batch * heads, count, chunk, x.size(3));
  }

  private Tensor tokens(Tensor padded) {
    return padded.size(2) == length ? padded : padded.narrow(2, 0, length);
  }
}
