package dev.jformer.mixer;

import com.google.auto.service.AutoService;
import dev.jformer.nn.Site;
import dev.jformer.position.Position;
import dev.jformer.tensor.Functional;
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
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(int heads, int keyValueHeads) implements TokenMixer.Config {
    /** Defaults. */
    public Config() {
      this(4, 0);
    }

    /** Checks the values. */
    public Config {
      check(heads, keyValueHeads);
    }

    @Override
    public String type() {
      return "softmax";
    }

    @Override
    public TokenMixer build(Site site, Position position) {
      return new SoftmaxAttention(this, site, position);
    }
  }

  SoftmaxAttention(Config config, Site site, Position position) {
    super(config.heads(), config.keyValueHeads(), site, position);
  }

  @Override
  Tensor attend(Heads h, Pairs pairs) {
    return fused(h, pairs);
  }

  @Override
  public Tensor logits(Tensor x) {
    return logitsOfAllPairs(x);
  }

  /** Softmax attention that never holds the T×S matrix. */
  static Tensor fused(Heads h, Pairs pairs) {
    long queries = h.query().size(2);
    long keys = h.key().size(2);
    boolean plain = pairs.keep() == null && pairs.ordered(queries, keys) == null;
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
