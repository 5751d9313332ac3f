package dev.jformer.mixer.attention;

import dev.jformer.config.Checks;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.cache.Cache;
import dev.jformer.mixer.cache.KeyValueCache;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.JoinedLayers;
import dev.jformer.nn.Layer;
import dev.jformer.nn.RowFunction;
import dev.jformer.nn.Slot;
import dev.jformer.position.Position;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The frame of multi-head attention (<a href="https://arxiv.org/abs/1706.03762">Attention Is All
 * You Need</a>, <a href="https://arxiv.org/abs/1706.03762">Attention Is All You Need</a>), for
 * variants to fill in. It has the layers for queries, keys, values and output, grouped or
 * multi-query heads (<a href="https://arxiv.org/abs/2305.13245">GQA: Training Generalized
 * Multi-Query Transformer Models from Multi-Head Checkpoints</a> and <a
 * href="https://arxiv.org/abs/1911.02150">Fast Transformer Decoding: One Write-Head is All You
 * Need</a>), the position encoding, and the cache for decoding; a variant says what the queries
 * take from the values, in {@link #attend(Heads, AttentionMask)}. This one has a learned
 * temperature for each head:
 *
 * <pre>{@code
 * public final class TemperatureAttention extends Attention {
 *   @AutoService(TokenMixer.Config.class)
 *   public record Config(int heads) implements TokenMixer.Config {
 *     public Config() { this(4); }                        // the defaults
 *     @Override public String type() { return "temperature"; }
 *     @Override public TokenMixer build(BlockContext context, Position position) {
 *       return new TemperatureAttention(heads, context, position);
 *     }
 *   }
 *
 *   private final Parameter temperature;
 *
 *   TemperatureAttention(int heads, BlockContext context, Position position) {
 *     super(heads, 0, context, position);
 *     temperature = parameter("temperature", Tensor.ones(heads, 1, 1));
 *   }
 *
 *   @Override protected Tensor attend(Heads h, AttentionMask mask) {
 *     Tensor query = h.query().mul(temperature.value());
 *     return SoftmaxAttention.fused(new Heads(query, h.key(), h.value()), mask);
 *   }
 * }
 * }</pre>
 *
 * <p>{@link #forward} and {@link #step} call the hooks in this order: {@link #project}, which calls
 * {@link #prepare} and {@link #split}; the position encoding acts on queries and keys; {@link
 * #attend(Heads, AttentionMask) attend}, in decoding through {@link #attend(Heads, State)}; {@link
 * #finish}; the output layer and dropout.
 *
 * <p>A variant must keep three promises, which the tests of this library's variants check:
 *
 * <ul>
 *   <li><b>Causality.</b> If {@link #isCausal}, nothing a token is given depends on later tokens.
 *   <li><b>Padding.</b> What a token is given does not depend on tokens that are padding.
 *   <li><b>Decoding.</b> {@link #step} gives for the next tokens what {@link #forward} gives for
 *       them in the whole sequence. A variant for which that is impossible overrides {@link #start}
 *       to throw an {@link UnsupportedOperationException} that says why.
 * </ul>
 *
 * <p>{@link AttentionMask} carries all that the three need. A variant that cannot add the position
 * encoding's bias to logits calls {@link #refuseBias} in its constructor.
 *
 * <p>Under bf16 autocast the products with weights run in bf16 and attention itself in float32: on
 * CPUs the fused kernel's bf16 form is many times slower.
 */
public abstract class Attention extends TokenMixer implements JoinedLayers {
  private final int heads;
  private final int groups;
  private final int headDim;
  private final boolean causal;
  private final Position position;
  private final Slot<Layer> qkv;
  private final Slot<Layer> out;
  private final Slot<Layer> dropout;
  private final long parts;

  /**
   * Declares the layers {@code qkv}, {@code out} and {@code dropout}. One linear layer makes
   * queries, keys and values, in this order.
   *
   * @param heads H, must divide the width
   * @param groups G, the number of heads of keys and values, must divide H; 0 for as many as heads
   */
  protected Attention(int heads, int groups, BlockContext context, Position position) {
    this(heads, groups, heads + 2L * (groups == 0 ? heads : groups), context, position);
  }

  /**
   * As above, for variants that make queries, keys and values of something else and override {@link
   * #split}.
   *
   * @param parts what the linear layer makes for each token, in widths of a head
   */
  protected Attention(int heads, int groups, long parts, BlockContext context, Position position) {
    this(new Layout(heads, groups, 0, context.bias(), context.bias()), parts, context, position);
  }

  /** As above, for variants with heads of any width, or a bias of their own. */
  protected Attention(Layout layout, BlockContext context, Position position) {
    this(layout, layout.heads + 2L * layout.groups, context, position);
  }

  private Attention(Layout layout, long parts, BlockContext context, Position position) {
    int width = context.width();
    this.heads = layout.heads;
    this.groups = layout.groups;
    this.headDim = layout.headDim == 0 ? headDim(width, heads) : layout.headDim;
    this.causal = context.causal();
    this.position = position;
    this.qkv = child("qkv", Layer.class, context.linear(width, parts * headDim, layout.qkvBias));
    this.out =
        child("out", Layer.class, context.residual((long) heads * headDim, width, layout.outBias));
    this.dropout = child("dropout", Layer.class, new Dropout(context.dropout()));
    this.parts = parts;
  }

  /**
   * The sizes of the linear layers.
   *
   * @param heads H
   * @param groups G, the number of heads of keys and values, must divide H; 0 for as many as heads
   * @param headDim d, the width of one head; 0 for the model's width divided by H
   * @param qkvBias whether queries, keys and values have a bias
   * @param outBias whether the layer that joins the heads has a bias
   */
  protected record Layout(int heads, int groups, int headDim, boolean qkvBias, boolean outBias) {
    /** Replaces a number of groups of 0. */
    public Layout {
      groups = groups == 0 ? heads : groups;
    }
  }

  /** The width of one head if all heads together are as wide as the model. */
  static int headDim(int width, int heads) {
    Checks.check(width % heads == 0, "heads", heads, "a divisor of the width " + width);
    return width / heads;
  }

  /** The rows of queries, keys and values in {@code qkv}; all rows as one in other variants. */
  @Override
  public Map<String, List<Long>> joinedRows() {
    long query = (long) heads * headDim;
    long shared = (long) groups * headDim;
    boolean usual = parts == heads + 2L * groups;
    return Map.of("qkv", usual ? List.of(query, shared, shared) : List.of(parts * headDim));
  }

  /**
   * Checks the numbers of heads that a configuration gives; configurations call it in their
   * constructor.
   *
   * @param keyValueHeads 0 for as many as heads
   * @throws IllegalArgumentException if there cannot be so many
   */
  public static void checkHeads(int heads, int keyValueHeads) {
    Checks.atLeast("heads", heads, 1);
    if (keyValueHeads < 0 || (keyValueHeads > 0 && heads % keyValueHeads != 0)) {
      throw new IllegalArgumentException(
          "keyValueHeads is " + keyValueHeads + ": expected a divisor of heads = " + heads);
    }
  }

  /** H, the number of heads of queries. */
  public final int heads() {
    return heads;
  }

  /** G, the number of heads of keys and values; it divides H. */
  public final int groups() {
    return groups;
  }

  /** d, the width of one head. */
  public final int headDim() {
    return headDim;
  }

  /** Whether a token may see itself and earlier ones only. */
  public final boolean isCausal() {
    return causal;
  }

  /** The model's position encoding, shared by all blocks. */
  public final Position position() {
    return position;
  }

  /**
   * Queries, keys and values of tokens, by heads.
   *
   * @param query [B, H, T, d]
   * @param key [B, G, S, d]
   * @param value [B, G, S, d]
   */
  public record Heads(Tensor query, Tensor key, Tensor value) {
    Heads float32() {
      return new Heads(query.to(DType.FLOAT32), key.to(DType.FLOAT32), value.to(DType.FLOAT32));
    }
  }

  /**
   * Computes what the queries take from the values. It is called once for each pass: with all
   * tokens as queries and keys in {@link #forward}, where T = S and {@code mask.start()} is 0; in
   * {@link #step} with the new tokens as queries and, with the default {@link #attend(Heads,
   * State)}, all tokens so far as keys, where S = {@code mask.start()} + T.
   *
   * @param heads after the position encoding has acted on queries and keys
   * @param mask which queries may see which keys, and the bias of their logits
   * @return [B, H, T, d]
   */
  protected abstract Tensor attend(Heads heads, AttentionMask mask);

  /**
   * Changes queries, keys and values before they are cut into heads and before the position
   * encoding acts on them. Does nothing unless overridden.
   *
   * @param qkv what the linear layer made of the tokens: [B, T, (H + 2 G) d], queries first, then
   *     keys and values
   * @param paddingMask as in {@link #forward}
   * @param state the memory of the tokens before these, in {@link #step}; null in {@link #forward}
   * @return [B, T, (H + 2 G) d]
   */
  protected Tensor prepare(Tensor qkv, Tensor paddingMask, State state) {
    return qkv;
  }

  /**
   * Makes queries, keys and values of the tokens, before the position encoding acts on them.
   * Variants override it that need more than {@link #prepare} or {@link #split} give.
   *
   * @param x [B, T, D]
   * @param paddingMask as in {@link #forward}
   * @param state the memory of the tokens before these, in {@link #step}; null in {@link #forward}
   */
  protected Heads project(Tensor x, Tensor paddingMask, State state) {
    Tensor side = prepare(qkv.get().forward(x), paddingMask, state);
    Tensor all = side.unflatten(2, -1, headDim).transpose(1, 2);
    return split(all);
  }

  /**
   * Says which of the heads that the linear layer made are queries, keys and values. Variants with
   * a number of {@code parts} of their own override it.
   *
   * @param all [B, parts, T, d]
   */
  protected Heads split(Tensor all) {
    List<Tensor> parts = all.split(1, heads, groups, groups);
    return new Heads(parts.get(0), parts.get(1), parts.get(2));
  }

  /**
   * Changes the result of each head before the output layer joins them. Does nothing unless
   * overridden.
   *
   * @param result of {@link #attend(Heads, AttentionMask)}: [B, H, T, d]
   * @param x [B, T, D], the input of the mixer
   * @return [B, H, T, d]
   */
  protected Tensor finish(Tensor result, Tensor x) {
    return result;
  }

  /**
   * Finds the cache in a decoding state. A variant whose {@link #start} gives a state of its own,
   * which remembers more than keys and values, overrides it.
   *
   * @param state one that {@link #start} made
   */
  protected Cache cache(State state) {
    return (Cache) state;
  }

  /**
   * Computes what the queries take in decoding: adds the tokens to the cache and attends to all
   * that are in it. Variants override it that remember something else.
   *
   * @param heads of the T tokens that follow those in the state
   * @return [B, H, T, d]
   */
  protected Tensor attend(Heads heads, State state) {
    Cache.Pair all = cache(state).append(heads.key, heads.value);
    Heads seen = new Heads(heads.query, all.keys(), all.values());
    long before = all.keys().size(2) - heads.key.size(2);
    return attend(seen, mask(before, true, null));
  }

  /**
   * The mask of a pass; all pairs of tokens that causality and padding allow, unless overridden.
   *
   * @param start as in {@link AttentionMask}, as are the other parameters
   */
  protected AttentionMask mask(long start, boolean isCausal, Tensor paddingMask) {
    return new AttentionMask(start, isCausal, paddingMask, position);
  }

  /**
   * The share of each key in what a query takes, for analysis: the softmax of the logits unless
   * overridden; zero throughout where a query may see no key. A variant whose {@link #attend(Heads,
   * AttentionMask)} uses other weights overrides it.
   *
   * @return [B, H, T, S]
   */
  protected Tensor weights(Heads heads, AttentionMask mask) {
    return Functional.safeSoftmax(logits(heads, mask), -1);
  }

  /**
   * Refuses position encodings that add biases to the logits of pairs: variants that look at few
   * pairs, or at none, call it in their constructor.
   *
   * @throws IllegalArgumentException if the position encoding does
   */
  protected final void refuseBias() {
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

  /** Starts the memory that {@link #step} needs: here an empty cache of keys and values. */
  @Override
  public State start(long batch, long capacity) {
    return new KeyValueCache(batch, groups, capacity, headDim);
  }

  @Override
  public final Tensor forward(Tensor x, Tensor paddingMask) {
    AttentionMask mask = mask(0, causal, paddingMask);
    Heads heads = encode(project(x, paddingMask, null), 0);
    return joinHeads(inFloat32(heads, h -> attend(h, mask)), x);
  }

  @Override
  public final Tensor step(Tensor x, State state) {
    long before = state.length();
    Heads heads = encode(project(x, null, state), before);
    // In float32 once here, which is cheaper than the whole cache at each step.
    return joinHeads(inFloat32(heads, h -> attend(h, state)), x);
  }

  @Override
  public Tensor weights(Tensor x, Tensor paddingMask) {
    return weights(encode(project(x, paddingMask, null), 0), mask(0, causal, paddingMask));
  }

  /**
   * Scaled products of queries and keys plus the position encoding's bias, -∞ where a query may not
   * see a key.
   *
   * @return [B, H, T, S]
   */
  protected final Tensor logits(Heads heads, AttentionMask mask) {
    Tensor logits = logitsOfAllPairs(heads, mask);
    Tensor allowed = mask.allowed(heads.query.size(2), heads.key.size(2));
    return allowed == null ? logits : logits.maskedFill(allowed.not(), Double.NEGATIVE_INFINITY);
  }

  private Tensor logitsOfAllPairs(Heads h, AttentionMask mask) {
    Tensor logits = products(h);
    Tensor bias = mask.bias(h.query.size(2), h.key.size(2));
    return bias == null ? logits : logits.add(bias);
  }

  /**
   * Scaled products of queries and keys, before biases and masks: q·k/√d unless overridden.
   *
   * @return [B, H, T, S]
   */
  protected Tensor products(Heads h) {
    return byGroup(h.query.mul(1 / Math.sqrt(headDim)), h.key.t());
  }

  /**
   * Multiplies the matrix of each head with that of its group, without repeating the latter.
   *
   * @param each [B, H, T, m]
   * @param shared [B, G, m, n]
   * @return [B, H, T, n]
   */
  protected final Tensor byGroup(Tensor each, Tensor shared) {
    if (groups == heads) {
      return each.matmul(shared);
    }
    long batch = each.size(0);
    Tensor rows = each.reshape(batch, groups, heads / groups * each.size(2), each.size(3));
    return rows.matmul(shared).reshape(batch, heads, each.size(2), shared.size(3));
  }

  /**
   * What {@link #logits(Tensor)} gives in variants whose {@link #weights(Tensor, Tensor)} are the
   * softmax of {@link #logits(Heads, AttentionMask)}; they override it to return this.
   *
   * @param x [B, T, D]
   * @return [B, H, T, T]
   */
  protected final Tensor softmaxLogits(Tensor x) {
    return logitsOfAllPairs(encode(project(x, null, null), 0), mask(0, causal, null));
  }

  /** Keys or values [B, G, S, d], repeated for the heads that share them: [B, H, S, d]. */
  protected final Tensor repeatGroups(Tensor shared) {
    return groups == heads ? shared : shared.repeatInterleave(heads / groups, 1);
  }

  /** Queries, keys and values of whole sequences [B, T, D], with their positions encoded. */
  protected final Heads heads(Tensor x) {
    return encode(project(x, null, null), 0);
  }

  /** Lets the position encoding act on queries and keys of tokens from a position on. */
  final Heads encode(Heads h, long start) {
    return new Heads(position.rotate(h.query, start), position.rotate(h.key, start), h.value);
  }

  /**
   * Runs a variant's attention in float32 under autocast, as {@link #forward} and {@link #step} do:
   * for variants with a way in of their own.
   */
  protected static Tensor inFloat32(Heads heads, Function<Heads, Tensor> attention) {
    if (!Autograd.isAutocast()) {
      return attention.apply(heads);
    }
    try (Mode mode = Autograd.autocast(DType.BFLOAT16, false)) {
      return attention.apply(heads.float32());
    }
  }

  /**
   * Joins the results of the heads [B, H, T, d] by {@link #concatHeads} and {@link #outputLayer}:
   * [B, T, D].
   */
  protected final Tensor joinHeads(Tensor result, Tensor x) {
    return outputLayer(concatHeads(result, x));
  }

  /**
   * The results of all heads after {@link #finish}, side by side, as the output layer takes them:
   * [B, T, D].
   *
   * @param result [B, H, T, d]
   * @param x [B, T, D], the input of the mixer
   */
  protected final Tensor concatHeads(Tensor result, Tensor x) {
    return finish(result, x).transpose(1, 2).flatten(2, 3);
  }

  /** The layer that makes queries, keys and values, for plain floats; null if it has none. */
  final RowFunction inputRows() {
    return qkv.get().rowFunction();
  }

  /** The output layer for plain floats; null if it has none. */
  final RowFunction outputRows() {
    return dropout.get().rowFunction() == RowFunction.IDENTITY ? out.get().rowFunction() : null;
  }

  /** The output layer and dropout: [B, T, D] to [B, T, D]. */
  protected final Tensor outputLayer(Tensor concatenated) {
    return dropout.get().forward(out.get().forward(concatenated));
  }
}
