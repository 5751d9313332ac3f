package dev.jformer.mixer.attention;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.cache.Cache;
import dev.jformer.mixer.cache.KeyValueCache;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Position;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * Multi-head softmax attention (arXiv 1706.03762) on the fused kernel, with grouped or multi-query
 * heads (arXiv 2305.13245, 1911.02150).
 */
public final class SoftmaxAttention extends Attention {
  /**
   * Configuration.
   *
   * @param heads H, must divide the width
   * @param keyValueHeads G, must divide H; 0 for as many as heads
   * @param cache how keys and values are kept in decoding
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(int heads, int keyValueHeads, Cache.Config cache)
      implements TokenMixer.Config {
    /** Defaults. */
    public Config() {
      this(4, 0);
    }

    /** Keys and values are kept as they are. */
    public Config(int heads, int keyValueHeads) {
      this(heads, keyValueHeads, new KeyValueCache.Config());
    }

    /** Checks the values. */
    public Config {
      checkHeads(heads, keyValueHeads);
      if (cache == null) {
        throw new IllegalArgumentException("cache is null: expected how keys and values are kept");
      }
    }

    @Override
    public String type() {
      return "softmax";
    }

    @Override
    public TokenMixer build(BlockContext site, Position position) {
      return new SoftmaxAttention(this, site, position);
    }
  }

  private final Cache.Config cache;

  SoftmaxAttention(Config config, BlockContext site, Position position) {
    super(config.heads(), config.keyValueHeads(), site, position);
    this.cache = config.cache();
  }

  @Override
  public State start(long batch, long capacity) {
    return cache.start(batch, groups(), capacity, headDim());
  }

  /** What a cache makes for these queries alone is released with them. */
  @Override
  protected Tensor attend(Heads heads, State state) {
    return Scope.tidy(() -> super.attend(heads, state));
  }

  @Override
  protected Tensor attend(Heads h, AttentionMask pairs) {
    return fused(h, pairs);
  }

  @Override
  public Tensor logits(Tensor x) {
    return softmaxLogits(x);
  }

  /** Softmax attention that never holds the T×S matrix. */
  public static Tensor fused(Heads h, AttentionMask pairs) {
    long queries = h.query().size(2);
    long keys = h.key().size(2);
    boolean plain = pairs.paddingMask() == null && pairs.causalBias(queries, keys) == null;
    if (plain && (!pairs.causal() || queries == 1)) {
      return Functional.attention(h.query(), h.key(), h.value(), null, false, null);
    }
    if (plain && pairs.start() == 0) {
      return Functional.attention(h.query(), h.key(), h.value(), null, true, null);
    }
    Tensor mask = pairs.mask(queries, keys);
    return Functional.attention(h.query(), h.key(), h.value(), mask, false, null);
  }
}
