package dev.jformer.mixer.sparse;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.Attention;
import dev.jformer.mixer.attention.AttentionMask;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Position;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.Set;

/**
 * ProbSparse attention of <a href="https://arxiv.org/abs/2012.07436">Informer: Beyond Efficient
 * Transformer for Long Sequence Time-Series Forecasting</a>. Only the u = c ⌈ln L⌉ queries whose
 * scores stand out most attend to all keys. The measure is {@code M(q) = max_j q·k_j/√d - mean_j
 * q·k_j/√d}. How far a query stands out is the largest less the mean of its scores for c ⌈ln L⌉
 * keys drawn at random, the same positions for all sequences and heads. The other queries give the
 * mean of all values, or where attention is causal the sum of the values up to their own. Time and
 * memory are O(L log L); no L×L matrix is held.
 *
 * <p>Which queries are chosen depends on all of them. So even with a causal mask, later tokens
 * influence how an earlier one is computed, though not from which tokens: as in the paper it is
 * causal only in that sense, and cannot decode step by step. With c so large that every query is
 * chosen it is softmax attention.
 *
 * <p>The authors' code divides the sum of the sampled scores by the number of all keys where the
 * paper takes their mean; here it is their mean. A causal query's samples may lie after it, as in
 * the authors' code. Draws come from the library's generator also in inference, so that a forecast
 * depends on its seed, as theirs does.
 */
public final class ProbSparseAttention extends Attention {
  /** The most numbers of sampled keys that are computed together, to bound the memory. */
  private static final long PART = 2_000_000;

  /**
   * Configuration.
   *
   * @param heads H, must divide the width
   * @param factor c, which scales the number of chosen queries and sampled keys
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(int heads, int factor) implements TokenMixer.Config {
    /** Defaults: the paper's factor of 5. */
    public Config() {
      this(8, 5);
    }

    /** Checks the values. */
    public Config {
      checkHeads(heads, 0);
      Checks.atLeast("factor", factor, 1);
    }

    @Override
    public String type() {
      return "prob-sparse";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new ProbSparseAttention(this, context, position);
    }
  }

  private final int factor;

  ProbSparseAttention(Config config, BlockContext context, Position position) {
    super(config.heads(), 0, context, position);
    this.factor = config.factor();
    refuseBias();
  }

  /** Number of tokens that are chosen of {@code length}. */
  static long chosen(int factor, long length) {
    return Math.min(length, factor * (long) Math.ceil(Math.log((double) length)));
  }

  @Override
  public State start(long batch, long capacity) {
    throw new UnsupportedOperationException(
        "prob-sparse attention chooses among all queries and cannot decode step by step");
  }

  /** Queries are chosen among all, and their number and the draws follow from the length. */
  @Override
  public Set<Dependence> dependences() {
    return isCausal()
        ? Set.of(Dependence.LATER_TOKENS, Dependence.PADDED_LENGTH)
        : Set.of(Dependence.PADDED_LENGTH);
  }

  @Override
  protected Tensor attend(Heads h, AttentionMask mask) {
    long queries = h.query().size(2);
    // For a single token, ln 1 = 0 would choose none.
    long count = Math.max(1, chosen(factor, queries));
    Tensor paddingMask = mask.paddingMask() == null ? null : mask.paddingMask().unsqueeze(1);
    Tensor top = chosenQueries(h, paddingMask, count);
    Tensor index = top.unsqueeze(3).expand(-1, -1, -1, h.query().size(3));
    Tensor attended = dense(h, mask, h.query().gather(2, index), top);
    return lazy(h, paddingMask).scatter(2, index, attended);
  }

  /**
   * The weights of the values as {@link #forward} uses them with the same random draws: the softmax
   * in the rows of chosen queries; in the others 1/n for all n keys or, where attention is causal,
   * 1 for each key up to the query's own, because their values are summed.
   */
  @Override
  protected Tensor weights(Heads h, AttentionMask mask) {
    long queries = h.query().size(2);
    Tensor paddingMask = mask.paddingMask() == null ? null : mask.paddingMask().unsqueeze(1);
    Tensor top = chosenQueries(h, paddingMask, Math.max(1, chosen(factor, queries)));
    Tensor index = top.unsqueeze(3).expand(-1, -1, -1, h.key().size(2));
    Tensor dense = Functional.safeSoftmax(logits(h, mask), -1).gather(2, index);
    Tensor each = Tensor.ones(1, 1, queries, h.key().size(2)).to(dense.dtype());
    Tensor lazy = isCausal() ? each.tril(0) : each;
    if (paddingMask != null) {
      lazy = lazy.mul(paddingMask.unsqueeze(2).to(dense.dtype()));
    }
    if (!isCausal()) {
      lazy = lazy.div(lazy.sum(3, true).clamp(1, Double.POSITIVE_INFINITY));
    }
    return lazy.expand(h.query().size(0), heads(), -1, -1).scatter(2, index, dense);
  }

  /** Positions of the chosen queries: int64 [B, H, u]. */
  private Tensor chosenQueries(Heads h, Tensor paddingMask, long count) {
    long queries = h.query().size(2);
    long keys = h.key().size(2);
    long samples = Math.max(1, chosen(factor, keys));
    long each = h.key().size(0) * h.key().size(1) * h.key().size(3) * samples;
    long together = Math.max(1, Math.min(queries, PART / each));
    try (Mode mode = Autograd.noGrad()) {
      return Scope.tidy(
          () -> {
            Tensor[] parts = new Tensor[(int) ((queries + together - 1) / together)];
            for (int i = 0; i < parts.length; i++) {
              long from = i * together;
              long size = Math.min(together, queries - from);
              Tensor drawn = Tensor.randint(0, keys, size * samples);
              parts[i] =
                  Scope.tidy(
                      () ->
                          spread(h, paddingMask, h.query().narrow(2, from, size), drawn, samples));
            }
            Tensor spread = Tensor.cat(2, parts);
            if (paddingMask != null) {
              spread = spread.maskedFill(paddingMask.not(), Double.NEGATIVE_INFINITY);
            }
            return spread.topK((int) count, 2).indices();
          });
    }
  }

  /** The sparsity measure of queries [B, H, P, d], maximum minus mean score: [B, H, P]. */
  private static Tensor spread(
      Heads h, Tensor paddingMask, Tensor query, Tensor drawn, long samples) {
    Tensor keys = h.key().indexSelect(2, drawn).unflatten(2, -1, samples);
    Tensor scores = keys.matmul(query.unsqueeze(4)).squeeze(4);
    if (paddingMask == null) {
      return scores.max(3, false).sub(scores.mean(3, false));
    }
    Tensor kept = paddingMask.indexSelect(2, drawn).unflatten(2, -1, samples);
    Tensor number = kept.to(scores.dtype()).sum(3, false).clamp(1, Double.POSITIVE_INFINITY);
    Tensor mean = scores.mul(kept.to(scores.dtype())).sum(3, false).div(number);
    Tensor largest = scores.maskedFill(kept.not(), Double.NEGATIVE_INFINITY).max(3, false);
    // A query whose samples are all padding gets the lowest measure.
    return largest.sub(mean).clamp(-Float.MAX_VALUE, Double.POSITIVE_INFINITY);
  }

  /** Softmax attention of the chosen queries: [B, H, u, d]. */
  private Tensor dense(Heads h, AttentionMask mask, Tensor query, Tensor top) {
    Tensor allowed =
        mask.paddingMask() == null ? null : mask.paddingMask().unsqueeze(1).unsqueeze(1);
    if (isCausal()) {
      Tensor keys = Tensor.arange(0, h.key().size(2)).to(top.device());
      Tensor seen = top.unsqueeze(3).ge(keys);
      allowed = allowed == null ? seen : allowed.and(seen);
    }
    return Functional.attention(query, h.key(), h.value(), allowed, false, null);
  }

  /** The results of the queries that are not chosen: [B, H, L, d]. */
  private Tensor lazy(Heads h, Tensor paddingMask) {
    Tensor value = h.value();
    Tensor kept = paddingMask == null ? null : paddingMask.unsqueeze(3).to(value.dtype());
    Tensor counted = kept == null ? value : value.mul(kept);
    if (isCausal()) {
      return counted.cumsum(2);
    }
    Tensor mean =
        kept == null
            ? value.mean(2, true)
            : counted.sum(2, true).div(kept.sum(2, true).clamp(1, Double.POSITIVE_INFINITY));
    return mean.expand(-1, -1, h.query().size(2), -1);
  }
}
