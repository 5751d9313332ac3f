package dev.jformer.mixer.linear;

import dev.jformer.nn.BlockContext;
import dev.jformer.position.Position;
import dev.jformer.tensor.Tensor;

/**
 * Kernel attention whose weights are normalised to sum to one: out_t = Σ_j φ(q_t)·φ(k_j) v_j / Σ_j
 * φ(q_t)·φ(k_j) (<a href="https://arxiv.org/abs/2006.16236">Transformers are RNNs: Fast
 * Autoregressive Transformers with Linear Attention</a>). A subclass defines φ.
 */
abstract class RatioAttention extends KernelAttention {
  private static final int KEYS = 0;
  private static final int VALUES = 1;
  private static final int SUMS = 2;

  private final double epsilon;

  /**
   * Creates the layers of {@link KernelAttention}.
   *
   * @param epsilon added to the denominator
   */
  RatioAttention(int heads, BlockContext context, Position position, double epsilon) {
    super(heads, context, position, SUMS);
    this.epsilon = epsilon;
  }

  @Override
  Tensor bidirectional(Heads h, Tensor paddingMask) {
    Tensor sums = h.query().matmul(h.key().t().matmul(h.value()));
    Tensor total = h.query().mul(h.key().sum(2, true)).sum(3, true);
    return ratio(sums, total);
  }

  @Override
  Tensor causal(Heads h, Tensor paddingMask, RunningSums past) {
    CausalProduct product = new CausalProduct(h.query(), h.key());
    Tensor total = product.sums(null, past.get(KEYS));
    return ratio(product.values(h.value(), past.get(VALUES)), total.unsqueeze(3));
  }

  @Override
  Tensor matrix(Heads h, Tensor paddingMask) {
    Tensor products = h.query().matmul(h.key().t());
    Tensor seen = isCausal() ? products.tril(0) : products;
    return ratio(seen, seen.sum(3, true));
  }

  /** Divides sums of weighted values by the sums of the weights. */
  Tensor ratio(Tensor sums, Tensor total) {
    return sums.mul(total.add(epsilon).reciprocal());
  }
}
