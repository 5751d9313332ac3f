package dev.jformer.mixer.attention;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.cache.Cache;
import dev.jformer.mixer.cache.KeyValueCache;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Packing;
import dev.jformer.nn.RowFunction;
import dev.jformer.nn.Slot;
import dev.jformer.nn.TokenSubset;
import dev.jformer.position.Position;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.ArrayList;
import java.util.List;

/**
 * Multi-head softmax attention (<a href="https://arxiv.org/abs/1706.03762">Attention Is All You
 * Need</a>) on the fused kernel, with grouped or multi-query heads (<a
 * href="https://arxiv.org/abs/2305.13245">GQA: Training Generalized Multi-Query Transformer Models
 * from Multi-Head Checkpoints</a> and <a href="https://arxiv.org/abs/1911.02150">Fast Transformer
 * Decoding: One Write-Head is All You Need</a>).
 *
 * <p>It can have a sliding window (<a href="https://arxiv.org/abs/2310.06825">Mistral 7B</a>),
 * normalised queries and keys (<a href="https://arxiv.org/abs/2010.04245">Query-Key Normalization
 * for Transformers</a>), and logits that stay below a cap (<a
 * href="https://arxiv.org/abs/2408.00118">Gemma 2: Improving Open Language Models at a Practical
 * Size</a>). Caps need all logits, so attention runs without the fused kernel then.
 */
public final class SoftmaxAttention extends Attention {
  /** The fewest queries that are attended to at once, if they cannot be all. */
  private static final long CHUNK = 512;

  /**
   * Configuration.
   *
   * @param heads H, must divide the width unless {@code headDim} is given
   * @param keyValueHeads G, must divide H; 0 for as many as heads
   * @param cache the kind of key-value cache in decoding
   * @param headDim d, the width of one head; 0 for the model's width divided by H
   * @param qkvBias whether queries, keys and values have a bias even if other linear layers have
   *     none
   * @param outBias whether the layer that joins the heads has a bias even if others have none
   * @param queryKeyNorm the normalisation of each head's queries and keys, before positions
   * @param window a token sees only those less than so many positions away; 0 for all
   * @param scale the factor of the products of queries and keys; 0 for 1/√d
   * @param logitCap c, with which a scaled product x becomes {@code c tanh(x/c)}; 0 for x itself
   */
  @AutoService(TokenMixer.Config.class)
  @RecordBuilder
  public record Config(
      int heads,
      int keyValueHeads,
      Cache.Config cache,
      int headDim,
      boolean qkvBias,
      boolean outBias,
      Norm.Config queryKeyNorm,
      int window,
      double scale,
      double logitCap)
      implements TokenMixer.Config, SoftmaxAttentionConfigBuilder.With {
    /** Defaults. */
    public Config() {
      this(4, 0);
    }

    /** Attention with the full key-value cache. */
    public Config(int heads, int keyValueHeads) {
      this(heads, keyValueHeads, new KeyValueCache.Config());
    }

    /** Attention with a kind of key-value cache. */
    public Config(int heads, int keyValueHeads, Cache.Config cache) {
      this(heads, keyValueHeads, cache, 0, false, false, new Norm.NoNormConfig(), 0, 0, 0);
    }

    /** Checks the values. */
    public Config {
      checkHeads(heads, keyValueHeads);
      if (cache == null) {
        throw new IllegalArgumentException("cache is null: expected a cache such as 'full'");
      }
      Checks.atLeast("headDim", headDim, 0);
      Checks.notNull("queryKeyNorm", queryKeyNorm);
      Checks.check(
          !queryKeyNorm.mixesTokens(),
          "queryKeyNorm",
          queryKeyNorm.type(),
          "a normalisation of single tokens, such as 'rms'");
      Checks.atLeast("window", window, 0);
      Checks.atLeast("scale", scale, 0);
      Checks.atLeast("logitCap", logitCap, 0);
    }

    @Override
    public String type() {
      return "softmax";
    }

    @Override
    public int headDim(int width) {
      return headDim == 0 ? TokenMixer.Config.super.headDim(width) : headDim;
    }

    @Override
    public Config ofHeads(int heads, int headDim) {
      return withHeads(heads).withHeadDim(headDim);
    }

    /** G, the number of heads of keys and values, also if it is given as 0. */
    public int groups() {
      return keyValueHeads == 0 ? heads : keyValueHeads;
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new SoftmaxAttention(this, context, position);
    }
  }

  private final Config config;
  private final Slot<Layer> queryNorm;
  private final Slot<Layer> keyNorm;

  SoftmaxAttention(Config config, BlockContext context, Position position) {
    super(
        new Layout(
            config.heads(),
            config.keyValueHeads(),
            config.headDim(context.width()),
            context.bias() || config.qkvBias(),
            context.bias() || config.outBias()),
        context,
        position);
    this.config = config;
    this.queryNorm = child("queryNorm", Layer.class, config.queryKeyNorm().build(headDim()));
    this.keyNorm = child("keyNorm", Layer.class, config.queryKeyNorm().build(headDim()));
  }

  @Override
  public State start(long batch, long capacity) {
    Cache.Config cache = config.cache();
    return config.window() == 0
        ? cache.start(batch, groups(), capacity, headDim())
        : cache.startWindow(config.window(), batch, groups(), capacity, headDim());
  }

  /** Normalises queries and keys, and gives the logits their scale. */
  @Override
  protected Heads split(Tensor all) {
    Heads h = super.split(all);
    Tensor query = queryNorm.get().forward(h.query());
    if (config.scale() != 0) {
      query = query.mul(config.scale() * Math.sqrt(headDim())); // which others multiply by 1/√d
    }
    return new Heads(query, keyNorm.get().forward(h.key()), h.value());
  }

  @Override
  public RowFunction rowFunction(State state) {
    boolean plain = config.logitCap() == 0 && config.window() == 0;
    if (!plain || !(state instanceof KeyValueCache cache) || !cache.takesFloats()) {
      return null;
    }
    SoftmaxRows.Parts parts =
        new SoftmaxRows.Parts(
            inputRows(),
            queryNorm.get().rowFunction(),
            keyNorm.get().rowFunction(),
            position().rowRotation(),
            outputRows());
    double factor = config.scale() == 0 ? 1 / Math.sqrt(headDim()) : config.scale();
    return parts.areComplete()
        ? new SoftmaxRows(parts, cache, heads(), groups(), headDim(), factor)
        : null;
  }

  @Override
  protected AttentionMask mask(long start, boolean isCausal, Tensor paddingMask) {
    return new AttentionMask(start, isCausal, paddingMask, position(), config.window());
  }

  @Override
  protected Tensor products(Heads h) {
    double cap = config.logitCap();
    Tensor products = super.products(h);
    return cap == 0 ? products : products.mul(1 / cap).tanh().mul(cap);
  }

  /** Only the wanted tokens have queries, unless there are windows, biases or caps. */
  @Override
  public Tensor forwardAt(Tensor x, TokenSubset tokens) {
    long length = x.size(1);
    AttentionMask mask = mask(0, isCausal(), null);
    boolean plain =
        config.logitCap() == 0
            && !mask.isWindowed(length, length)
            && mask.causalBias(length, length) == null;
    if (!plain) {
      return super.forwardAt(x, tokens);
    }
    Tensor all = mask.allowed(length, length);
    Tensor allowed = all == null ? null : tokens.of(all, 0);
    Tensor result =
        inFloat32(
            heads(x),
            h ->
                Functional.attention(
                    tokens.of(h.query(), 2), h.key(), h.value(), allowed, false, null));
    return joinHeads(result, x);
  }

  /** Attends in a scope, so that tensors unpacked from a cache are released at once. */
  @Override
  protected Tensor attend(Heads heads, State state) {
    return Scope.tidy(() -> super.attend(heads, state));
  }

  @Override
  protected Tensor attend(Heads h, AttentionMask mask) {
    long queries = h.query().size(2);
    boolean windowed = mask.isWindowed(queries, h.key().size(2));
    long chunk = Math.max(CHUNK, mask.window());
    if (queries <= chunk || !(windowed || config.logitCap() != 0)) {
      return attendAtOnce(h, mask);
    }
    List<Tensor> parts = new ArrayList<>();
    for (long first = 0; first < queries; first += chunk) {
      parts.add(attend(h, mask, first, Math.min(chunk, queries - first)));
    }
    return Tensor.cat(2, parts.toArray(Tensor[]::new));
  }

  /** Attends with some of the queries to the keys that they see. */
  private Tensor attend(Heads h, AttentionMask mask, long first, long count) {
    long at = mask.start() + first;
    long all = h.key().size(2);
    long from = mask.window() == 0 ? 0 : Math.max(0, at - mask.window() + 1);
    long to =
        mask.causal() ? at + count : mask.window() == 0 ? all : at + count + mask.window() - 1;
    long keys = Math.min(to, all) - from;
    Tensor padding = mask.paddingMask();
    return attendAtOnce(
        new Heads(
            h.query().narrow(2, first, count),
            h.key().narrow(2, from, keys),
            h.value().narrow(2, from, keys)),
        new AttentionMask(
            at - from,
            mask.causal(),
            padding == null ? null : padding.narrow(1, from, keys),
            mask.position(),
            mask.window()));
  }

  private Tensor attendAtOnce(Heads h, AttentionMask mask) {
    return config.logitCap() == 0 ? fused(h, mask) : byGroup(weights(h, mask), h.value());
  }

  /**
   * Projects whole rows; only what the heads take is computed for each sequence apart, for those of
   * similar length together. Padding at their ends is not seen where no token sees later ones.
   */
  @Override
  public Tensor forwardPacked(Tensor x, Packing packing) {
    Heads all = project(x, null, null);
    // Side by side, so that sequences are cut out once: queries, keys and values have other heads.
    Tensor joined = Tensor.cat(1, all.query(), all.key(), all.value());
    Tensor taken =
        inFloat32(
            new Heads(joined, joined, joined),
            h ->
                packing.mapTogether(
                    h.query().transpose(1, 2).flatten(2, 3), isCausal(), this::attendAlone));
    return joinHeads(taken.unflatten(2, -1, headDim()).transpose(1, 2), x);
  }

  /** What the heads of sequences [S, t, (H + 2 G) d] take, from position 0: [S, t, H d]. */
  private Tensor attendAlone(Tensor joined) {
    List<Tensor> own =
        joined.unflatten(2, -1, headDim()).transpose(1, 2).split(1, heads(), groups(), groups());
    Heads heads = encode(new Heads(own.get(0), own.get(1), own.get(2)), 0);
    return attend(heads, mask(0, isCausal(), null)).transpose(1, 2).flatten(2, 3);
  }

  @Override
  public Tensor logits(Tensor x) {
    return softmaxLogits(x);
  }

  /** Softmax attention by the fused kernel, which never stores the T×S matrix. */
  public static Tensor fused(Heads h, AttentionMask mask) {
    long queries = h.query().size(2);
    long keys = h.key().size(2);
    boolean plain =
        mask.paddingMask() == null
            && !mask.isWindowed(queries, keys)
            && mask.causalBias(queries, keys) == null;
    if (plain && (!mask.causal() || queries == 1)) {
      return Functional.attention(h.query(), h.key(), h.value(), null, false, null);
    }
    if (plain && mask.start() == 0) {
      return Functional.attention(h.query(), h.key(), h.value(), null, true, null);
    }
    Tensor allowed = mask.mask(queries, keys);
    return Functional.attention(h.query(), h.key(), h.value(), allowed, false, null);
  }
}
