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
 * Multi-head softmax attention (<a href="https://arxiv.org/abs/1706.03762">Attention Is All You
 * Need</a>) on the fused kernel, with grouped or multi-query heads (<a
 * href="https://arxiv.org/abs/2305.13245">GQA: Training Generalized Multi-Query Transformer Models
 * from Multi-Head Checkpoints</a> and <a href="https://arxiv.org/abs/1911.02150">Fast Transformer
 * Decoding: One Write-Head is All You Need</a>).
 */
public final class SoftmaxAttention extends Attention {
  /**
   * Configuration.
   *
   * @param heads H, must divide the width
   * @param keyValueHeads G, must divide H; 0 for as many as heads
   * @param cache the kind of key-value cache in decoding
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(int heads, int keyValueHeads, Cache.Config cache)
      implements TokenMixer.Config {
    /** Defaults. */
    public Config() {
      this(4, 0);
    }

    /** Attention with the full key-value cache. */
    public Config(int heads, int keyValueHeads) {
      this(heads, keyValueHeads, new KeyValueCache.Config());
    }

    /** Checks the values. */
    public Config {
      checkHeads(heads, keyValueHeads);
      if (cache == null) {
        throw new IllegalArgumentException("cache is null: expected a cache such as 'full'");
      }
    }

    @Override
    public String type() {
      return "softmax";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new SoftmaxAttention(this, context, position);
    }
  }

  private final Cache.Config cache;

  SoftmaxAttention(Config config, BlockContext context, Position position) {
    super(config.heads(), config.keyValueHeads(), context, position);
    this.cache = config.cache();
  }

  @Override
  public State start(long batch, long capacity) {
    return cache.start(batch, groups(), capacity, headDim());
  }

  /** Attends in a scope, so that tensors unpacked from a cache are released at once. */
  @Override
  protected Tensor attend(Heads heads, State state) {
    return Scope.tidy(() -> super.attend(heads, state));
  }

  @Override
  protected Tensor attend(Heads h, AttentionMask mask) {
    return fused(h, mask);
  }

  @Override
  public Tensor logits(Tensor x) {
    return softmaxLogits(x);
  }

  /** Softmax attention by the fused kernel, which never stores the T×S matrix. */
  public static Tensor fused(Heads h, AttentionMask mask) {
    long queries = h.query().size(2);
    long keys = h.key().size(2);
    boolean plain = mask.paddingMask() == null && mask.causalBias(queries, keys) == null;
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
