package dev.jformer.mixer.attention;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.cache.Cache;
import dev.jformer.mixer.cache.KeyValueCache;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Slot;
import dev.jformer.position.Position;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.List;
import java.util.function.Function;

/**
 * What mixers with queries, keys and values have in common (arXiv 1706.03762), with grouped or
 * multi-query heads (arXiv 2305.13245, 1911.02150): H query heads share G key and value heads. A
 * subclass says what becomes of them in {@link #attend}, and may change what comes before ({@link
 * #prepare}) and after ({@link #finish}).
 *
 * <p>One linear layer makes queries, keys and values, in this order. Under bf16 autocast the
 * products with weights run in bf16 and attention itself in float32: on CPUs the fused kernel's
 * bf16 form is many times slower.
 */
public abstract class Attention extends TokenMixer {
  public final int heads;
  final int groups;
  public final int headDim;
  public final boolean causal;
  public final Position position;
  private final Slot<Layer> qkv;
  private final Slot<Layer> out;
  private final Slot<Layer> dropout;

  /**
   * Declares the layers {@code qkv}, {@code out} and {@code dropout}.
   *
   * @param heads H, must divide the width
   * @param groups G, must divide H; 0 for as many as heads
   */
  public Attention(int heads, int groups, BlockContext site, Position position) {
    this(heads, groups, heads + 2L * (groups == 0 ? heads : groups), site, position);
  }

  /**
   * As above, for mixers that make queries, keys and values of something else.
   *
   * @param parts what one linear layer makes, in widths of a head; see {@link #split}
   */
  public Attention(int heads, int groups, long parts, BlockContext site, Position position) {
    if (site.width() % heads != 0) {
      throw new IllegalArgumentException(
          "heads is " + heads + ": expected a divisor of the width " + site.width());
    }
    this.heads = heads;
    this.groups = groups == 0 ? heads : groups;
    this.headDim = site.width() / heads;
    this.causal = site.causal();
    this.position = position;
    this.qkv = child("qkv", Layer.class, site.linear(site.width(), parts * headDim));
    this.out = child("out", Layer.class, site.residual(site.width(), site.width()));
    this.dropout = child("dropout", Layer.class, new Dropout(site.dropout()));
  }

  /** Checks the numbers of heads that a configuration gives. */
  public static void check(int heads, int keyValueHeads) {
    if (heads < 1) {
      throw new IllegalArgumentException("heads is " + heads + ": expected at least 1");
    }
    if (keyValueHeads < 0 || (keyValueHeads > 0 && heads % keyValueHeads != 0)) {
      throw new IllegalArgumentException(
          "keyValueHeads is " + keyValueHeads + ": expected a divisor of heads = " + heads);
    }
  }

  /** Queries [B, H, T, d], keys and values [B, G, S, d]. */
  public record Heads(Tensor query, Tensor key, Tensor value) {
    Heads float32() {
      return new Heads(query.to(DType.FLOAT32), key.to(DType.FLOAT32), value.to(DType.FLOAT32));
    }
  }

  /**
   * What the queries take from the values.
   *
   * @return [B, H, T, d]
   */
  public abstract Tensor attend(Heads heads, AttentionMask pairs);

  /**
   * Acts on queries, keys and values of all heads, side by side, before the position encoding does.
   *
   * @param qkv [B, T, (H + 2 G) d]
   * @param paddingMask as in {@link #forward}
   * @param state memory of the tokens before these; null for whole sequences
   * @return [B, T, (H + 2 G) d]
   */
  Tensor prepare(Tensor qkv, Tensor paddingMask, State state) {
    return qkv;
  }

  /**
   * Queries, keys and values before the position encoding acts on them.
   *
   * @param x [B, T, D]
   * @param paddingMask as in {@link #forward}
   * @param state memory of the tokens before these, for mixers that need it here; null for whole
   *     sequences
   */
  public Heads project(Tensor x, Tensor paddingMask, State state) {
    Tensor side = prepare(qkv.get().forward(x), paddingMask, state);
    Tensor all = side.unflatten(2, -1, headDim).transpose(1, 2);
    return split(all);
  }

  /** Queries, keys and values in what the linear layer made, [B, parts, T, d]. */
  public Heads split(Tensor all) {
    List<Tensor> parts = all.split(1, heads, groups, groups);
    return new Heads(parts.get(0), parts.get(1), parts.get(2));
  }

  /**
   * For mixers that look at few pairs, or at none.
   *
   * @throws IllegalArgumentException if the position encoding adds biases to the logits of pairs
   */
  public final void refuseBias() {
    try (Scope scope = Scope.open()) {
      if (position.bias(0, 1, 1, causal) != null) {
        throw new IllegalArgumentException(
            getClass().getSimpleName()
                + " takes no biases for pairs of tokens, as "
                + position.getClass().getSimpleName()
                + " gives them: choose a position encoding that acts on embeddings, or on queries"
                + " and keys");
      }
    }
  }

  /**
   * Acts on the result of each head before the output layer joins them.
   *
   * @param result [B, H, T, d]
   * @param x [B, T, D], the input of the mixer
   * @return [B, H, T, d]
   */
  Tensor finish(Tensor result, Tensor x) {
    return result;
  }

  /** The cache in a state that {@link #start} made. */
  Cache cache(State state) {
    return (Cache) state;
  }

  @Override
  public State start(long batch, long capacity) {
    return new KeyValueCache(batch, groups, capacity, headDim);
  }

  /**
   * What the queries take from the values of the tokens in {@code state} and from their own, which
   * are added to it.
   *
   * @param heads of the tokens that follow those in the state
   * @return [B, H, T, d]
   */
  public Tensor attend(Heads heads, State state) {
    Cache cache = cache(state);
    long before = cache.length();
    Cache.Pair all = cache.append(heads.key, heads.value);
    Heads seen = new Heads(heads.query, all.keys(), all.values());
    return attend(seen, new AttentionMask(before, true, null, position));
  }

  @Override
  public final Tensor forward(Tensor x, Tensor paddingMask) {
    AttentionMask pairs = new AttentionMask(0, causal, paddingMask, position);
    return join(
        inFloat(encode(project(x, paddingMask, null), 0), heads -> attend(heads, pairs)), x);
  }

  @Override
  public final Tensor step(Tensor x, State state) {
    long before = state.length();
    Heads heads = encode(project(x, null, state), before);
    // In float32 once here, which is cheaper than the whole cache at each step.
    return join(inFloat(heads, next -> attend(next, state)), x);
  }

  @Override
  public Tensor weights(Tensor x, Tensor paddingMask) {
    return weights(
        encode(project(x, paddingMask, null), 0),
        new AttentionMask(0, causal, paddingMask, position));
  }

  /**
   * The share of each key in what a query takes, as a matrix: [B, H, T, S]. Here the softmax of the
   * logits; zero throughout where a query may see no key.
   */
  public Tensor weights(Heads h, AttentionMask pairs) {
    return Functional.safeSoftmax(logits(h, pairs), -1);
  }

  /** Scaled products of queries and keys plus bias, -∞ where they may not meet: [B, H, T, S]. */
  public final Tensor logits(Heads h, AttentionMask pairs) {
    Tensor logits = logitsOfAllPairs(h, pairs);
    Tensor allowed = pairs.allowed(h.query.size(2), h.key.size(2));
    return allowed == null ? logits : logits.maskedFill(allowed.not(), Double.NEGATIVE_INFINITY);
  }

  private Tensor logitsOfAllPairs(Heads h, AttentionMask pairs) {
    Tensor logits = h.query.mul(1 / Math.sqrt(headDim)).matmul(each(h.key).t());
    Tensor bias = pairs.bias(h.query.size(2), h.key.size(2));
    return bias == null ? logits : logits.add(bias);
  }

  /** What {@link #logits(Tensor)} is where {@link #weights} is the softmax of the logits. */
  final Tensor logitsOfAllPairs(Tensor x) {
    return logitsOfAllPairs(
        encode(project(x, null, null), 0), new AttentionMask(0, causal, null, position));
  }

  /** Keys or values [B, G, S, d] as every head sees them: [B, H, S, d]. */
  public final Tensor each(Tensor shared) {
    return groups == heads ? shared : shared.repeatInterleave(heads / groups, 1);
  }

  private Heads encode(Heads h, long start) {
    return new Heads(position.rotate(h.query, start), position.rotate(h.key, start), h.value);
  }

  public static Tensor inFloat(Heads heads, Function<Heads, Tensor> attention) {
    if (!Autograd.isAutocast()) {
      return attention.apply(heads);
    }
    try (Mode mode = Autograd.autocast(DType.BFLOAT16, false)) {
      return attention.apply(heads.float32());
    }
  }

  /** Heads side by side, through the output layer: [B, T, D]. */
  public final Tensor join(Tensor result, Tensor x) {
    return output(sideBySide(result, x));
  }

  /** Results of all heads, as the output layer takes them: [B, T, D]. */
  public final Tensor sideBySide(Tensor result, Tensor x) {
    return finish(result, x).transpose(1, 2).flatten(2, 3);
  }

  public final Tensor output(Tensor sideBySide) {
    return dropout.get().forward(out.get().forward(sideBySide));
  }
}
