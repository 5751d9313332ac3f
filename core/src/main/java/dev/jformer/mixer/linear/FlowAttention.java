package dev.jformer.mixer.linear;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Position;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * Flow-Attention of <a href="https://arxiv.org/abs/2202.06258">Flowformer: Linearizing Transformers
 * with Conservation Flows</a>. Attention is a flow network in which what flows out of a source (a
 * key) and into a sink (a query) is conserved, so that sources compete and sinks are allocated
 * without a softmax over pairs. Time and memory are O(T).
 *
 * <p>With φ the sigmoid, and 1e-6 added to both factors of every flow:
 *
 * <pre>
 *   I_i = φ(q_i)·Σ_j φ(k_j)         O_j = φ(k_j)·Σ_i φ(q_i)        incoming and outgoing flow
 *   Î_i = φ(q_i)·Σ_j φ(k_j)/O_j     Ô_j = φ(k_j)·Σ_i φ(q_i)/I_i    with the other side conserved
 *   out_i = sigmoid(Î_i) (φ(q_i)/I_i)·Σ_j φ(k_j)ᵀ softmax_j(Ô) T v_j
 * </pre>
 *
 * with Ô clamped to [-1, 1]. In causal form every sum runs only over tokens up to t and is scaled
 * to that of a single token: 1/I and 1/O are multiplied by t in Î and Ô, which are divided by t
 * (tokens counted from 1), and softmax(Ô) T becomes t exp(Ô_t) / Σ_{j≤t} exp(Ô_j).
 *
 * <p>The authors' code for language models clamps Ô to [-5, 5]; their code for images and their
 * summary to [-1, 1], as here. Padding is neither source nor sink and is not counted.
 */
public final class FlowAttention extends KernelAttention {
  private static final double EPSILON = 1e-6;
  private static final double CLAMP = 1;

  // The sums that decoding remembers. Each flow has two: of features, and of their totals.
  private static final int INCOMING = 0;
  private static final int OUTGOING = 2;
  private static final int CONSERVED_INCOMING = 4;
  private static final int CONSERVED_OUTGOING = 6;
  private static final int COMPETITION = 8;
  private static final int VALUES = 9;
  private static final int SUMS = 10;

  /**
   * Configuration.
   *
   * @param heads H, must divide the width
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(int heads) implements TokenMixer.Config {
    /** Defaults. */
    public Config() {
      this(4);
    }

    /** Checks the values. */
    public Config {
      checkHeads(heads, 0);
    }

    @Override
    public String type() {
      return "flow";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new FlowAttention(heads, context, position);
    }
  }

  FlowAttention(int heads, BlockContext context, Position position) {
    super(heads, context, position, SUMS);
  }

  /**
   * The factors of the products φ(q_i)·φ(k_j).
   *
   * @param sinks the factor of each query, [B, H, T]
   * @param sources the factor of each key, [B, H, T]
   */
  private record Gates(Tensor sinks, Tensor sources) {}

  @Override
  Tensor features(Tensor x) {
    return x.sigmoid();
  }

  @Override
  Tensor bidirectional(Heads h, Tensor paddingMask) {
    Gates gates = gates(h, paddingMask);
    Tensor offered = h.value().mul(gates.sources.unsqueeze(3));
    return h.query().matmul(h.key().t().matmul(offered)).mul(gates.sinks.unsqueeze(3));
  }

  @Override
  Tensor causal(Heads h, Tensor paddingMask, RunningSums past) {
    CausalProduct product = new CausalProduct(h.query(), h.key());
    Gates gates = gates(product, h, paddingMask, past);
    Tensor offered = h.value().mul(gates.sources.unsqueeze(3));
    return product.values(offered, past.get(VALUES)).mul(gates.sinks.unsqueeze(3));
  }

  @Override
  Tensor matrix(Heads h, Tensor paddingMask) {
    Tensor products = h.query().matmul(h.key().t());
    Gates gates =
        isCausal()
            ? gates(new CausalProduct(h.query(), h.key()), h, paddingMask, RunningSums.NONE)
            : gates(h, paddingMask);
    Tensor seen = isCausal() ? products.tril(0) : products;
    return seen.mul(gates.sinks.unsqueeze(3)).mul(gates.sources.unsqueeze(2));
  }

  private static Gates gates(Heads h, Tensor paddingMask) {
    Tensor perIncoming = flow(h.query(), h.key()).reciprocal();
    Tensor perOutgoing = flow(h.key(), h.query()).reciprocal();
    Tensor sink = flow(h.query(), h.key().mul(perOutgoing.unsqueeze(3)));
    Tensor source = flow(h.key(), h.query().mul(perIncoming.unsqueeze(3))).clamp(-CLAMP, CLAMP);
    Tensor sources;
    if (paddingMask == null) {
      sources = source.softmax(2).mul(source.size(2));
    } else {
      Tensor kept = source.maskedFill(paddingMask.not(), Double.NEGATIVE_INFINITY);
      sources = Functional.safeSoftmax(kept, 2).mul(paddingMask.to(source.dtype()).sum(2, true));
    }
    return new Gates(sink.sigmoid().mul(perIncoming), sources);
  }

  /** Computes the flows (a_i + ε)·(Σ_j b_j + ε): [B, H, T]. */
  private static Tensor flow(Tensor a, Tensor b) {
    Tensor total = b.sum(2, true).add(EPSILON);
    return a.mul(total).sum(3, false).add(total.sum(3, false), EPSILON);
  }

  private static Gates gates(CausalProduct product, Heads h, Tensor paddingMask, RunningSums past) {
    CausalProduct reversed = product.reversed();
    Tensor query = h.query().sum(3, false);
    Tensor key = h.key().sum(3, false);
    double smallest = h.query().size(3) * EPSILON * EPSILON;
    Tensor count = count(query, paddingMask, past.length());

    Tensor incoming = flow(product, query, key, null, smallest, past, INCOMING);
    Tensor outgoing = flow(reversed, key, query, null, smallest, past, OUTGOING);
    Tensor perOutgoing = count.div(outgoing);
    Tensor perIncoming = count.div(incoming);
    Tensor sink = flow(product, query, key, perOutgoing, smallest, past, CONSERVED_INCOMING);
    Tensor source = flow(reversed, key, query, perIncoming, smallest, past, CONSERVED_OUTGOING);
    Tensor strength = source.div(count).clamp(-CLAMP, CLAMP).exp();
    if (paddingMask != null) {
      strength = strength.mul(paddingMask.to(strength.dtype()));
    }
    Tensor all = past.get(COMPETITION).along(strength);
    if (paddingMask != null) {
      // At least the first token's own share, except before it.
      all = all.clamp(Math.exp(-CLAMP) / 2, Double.POSITIVE_INFINITY);
    }
    return new Gates(sink.div(count).sigmoid().div(incoming), strength.div(all).mul(count));
  }

  /**
   * Computes (a_t + ε)·(Σ_{j≤t} w_j b_j + ε) from the products and totals of a and b: [B, H, T].
   */
  private static Tensor flow(
      CausalProduct product,
      Tensor a,
      Tensor b,
      Tensor weight,
      double smallest,
      RunningSums past,
      int sum) {
    Tensor others = past.get(sum + 1).along(weight == null ? b : b.mul(weight));
    return product.sums(weight, past.get(sum)).add(others.add(a), EPSILON).add(smallest);
  }

  /** Number of tokens up to each, itself included: broadcasts to [B, H, T]. */
  private static Tensor count(Tensor like, Tensor paddingMask, long before) {
    if (paddingMask != null) {
      return paddingMask.to(like.dtype()).cumsum(2).clamp(1, Double.POSITIVE_INFINITY);
    }
    long length = like.size(2);
    return Tensor.arange(before + 1, before + length + 1).to(like.dtype()).to(like.device());
  }
}
