package dev.jformer.mixer;

import com.google.auto.service.AutoService;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Site;
import dev.jformer.nn.Slot;
import dev.jformer.position.Position;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * Multi-head softmax attention (arXiv 1706.03762) on the fused kernel, with grouped or multi-query
 * heads (arXiv 2305.13245, 1911.02150): H query heads share G key and value heads.
 *
 * <p>One linear layer makes queries, keys and values, in this order. Under bf16 autocast the
 * products with weights run in bf16 and attention itself in float32: on CPUs the fused kernel's
 * bf16 form is many times slower.
 */
public final class SoftmaxAttention extends TokenMixer {
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
      if (heads < 1) {
        throw new IllegalArgumentException("heads is " + heads + ": expected at least 1");
      }
      if (keyValueHeads < 0 || (keyValueHeads > 0 && heads % keyValueHeads != 0)) {
        throw new IllegalArgumentException(
            "keyValueHeads is " + keyValueHeads + ": expected a divisor of heads = " + heads);
      }
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

  private final int heads;
  private final int groups;
  private final int headDim;
  private final boolean causal;
  private final Position position;
  private final Slot<Layer> qkv;
  private final Slot<Layer> out;
  private final Slot<Layer> dropout;

  SoftmaxAttention(Config config, Site site, Position position) {
    if (site.width() % config.heads() != 0) {
      throw new IllegalArgumentException(
          "heads is " + config.heads() + ": expected a divisor of the width " + site.width());
    }
    this.heads = config.heads();
    this.groups = config.keyValueHeads() == 0 ? heads : config.keyValueHeads();
    this.headDim = site.width() / heads;
    this.causal = site.causal();
    this.position = position;
    this.qkv =
        child("qkv", Layer.class, site.linear(site.width(), (heads + 2L * groups) * headDim));
    this.out = child("out", Layer.class, site.residual(site.width(), site.width()));
    this.dropout = child("dropout", Layer.class, new Dropout(site.dropout()));
  }

  @Override
  public Tensor forward(Tensor x, Tensor keep) {
    Heads h = heads(x, 0);
    long length = x.size(1);
    Tensor bias = position.bias(0, length, length);
    Tensor result;
    if (bias == null && keep == null) {
      result = attend(h.query, h.key, h.value, null, causal);
    } else {
      result = attend(h.query, h.key, h.value, mask(bias, keep, length), false);
    }
    return merge(result);
  }

  private Tensor mask(Tensor bias, Tensor keep, long length) {
    Tensor allowed = causal ? Tensor.ones(length, length).tril(0).gt(0) : null;
    if (keep != null) {
      Tensor keys = keep.unsqueeze(1).unsqueeze(1);
      allowed = allowed == null ? keys : allowed.and(keys);
    }
    if (bias == null) {
      return allowed;
    }
    Tensor all = bias.unsqueeze(0);
    return allowed == null ? all : all.maskedFill(allowed.not(), Double.NEGATIVE_INFINITY);
  }

  @Override
  public State start(long batch, long capacity) {
    return new KeyValueCache(batch, groups, capacity, headDim);
  }

  @Override
  public Tensor step(Tensor x, State state) {
    KeyValueCache cache = (KeyValueCache) state;
    long before = cache.length();
    Heads h = heads(x, before);
    if (Autograd.isAutocast()) {
      // Attention takes float32: converting once is cheaper than the whole cache at each step.
      cache.append(h.key.to(DType.FLOAT32), h.value.to(DType.FLOAT32));
    } else {
      cache.append(h.key, h.value);
    }
    long queries = x.size(1);
    long keys = cache.length();
    Tensor bias = position.bias(before, queries, keys);
    Tensor result;
    if (bias == null && queries == 1) {
      result = attend(h.query, cache.keys(), cache.values(), null, false);
    } else if (bias == null && before == 0) {
      result = attend(h.query, h.key, h.value, null, true);
    } else {
      Tensor future = Tensor.ones(queries, keys).triu(before + 1).gt(0);
      Tensor mask = bias == null ? Tensor.zeros(queries, keys) : bias.unsqueeze(0);
      mask = mask.maskedFill(future, Double.NEGATIVE_INFINITY);
      result = attend(h.query, cache.keys(), cache.values(), mask, false);
    }
    return merge(result);
  }

  /**
   * Queries [B, H, T, d], keys and values [B, G, T, d] of tokens at positions from {@code start}.
   */
  private Heads heads(Tensor x, long start) {
    Tensor all = qkv.get().forward(x).unflatten(2, -1, headDim).transpose(1, 2);
    List<Tensor> parts = all.split(1, heads, groups, groups);
    return new Heads(
        position.rotate(parts.get(0), start), position.rotate(parts.get(1), start), parts.get(2));
  }

  private static Tensor attend(
      Tensor query, Tensor key, Tensor value, Tensor mask, boolean causal) {
    if (!Autograd.isAutocast()) {
      return Functional.attention(query, key, value, mask, causal, null);
    }
    try (Mode mode = Autograd.autocast(DType.BFLOAT16, false)) {
      return Functional.attention(
          query.to(DType.FLOAT32),
          key.to(DType.FLOAT32),
          value.to(DType.FLOAT32),
          mask,
          causal,
          null);
    }
  }

  private Tensor merge(Tensor result) {
    return dropout.get().forward(out.get().forward(result.transpose(1, 2).flatten(2, 3)));
  }

  private record Heads(Tensor query, Tensor key, Tensor value) {}
}
