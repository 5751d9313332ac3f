package dev.jformer.mixer.sparse;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.internal.Chunks;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Position;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * Sliding-window attention of <a href="https://arxiv.org/abs/2004.05150">Longformer: The
 * Long-Document Transformer</a>, one of the mixers of <a href="https://arxiv.org/abs/2103.14636">A
 * Practical Survey on Faster and Lighter Transformers</a>. A token sees those at most {@code
 * window} steps away, and the first {@code global} tokens, which see all and are seen by all. So it
 * is softmax attention over keys j with {@code |i - j| ≤ w}. With a dilation δ steps are δ tokens
 * long, so that the window reaches δ times as far. In causal models global tokens also see only
 * earlier ones. Time and memory are O(T w), for a window w up to the text's length.
 *
 * <p>Global tokens use the same projections as the others; the authors give them projections of
 * their own, which start as copies.
 */
public final class SlidingWindow extends SparseAttention {
  /**
   * Configuration.
   *
   * @param heads H, must divide the width
   * @param keyValueHeads G, must divide H; 0 for as many as heads
   * @param window number of steps to either side
   * @param dilation number of tokens in a step
   * @param global number of tokens at the front that see all and are seen by all
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(int heads, int keyValueHeads, int window, int dilation, int global)
      implements TokenMixer.Config {
    /** Defaults: 64 tokens to either side. */
    public Config() {
      this(4, 0, 64, 1, 0);
    }

    /** Checks the values. */
    public Config {
      checkHeads(heads, keyValueHeads);
      if (window < 1 || dilation < 1 || global < 0) {
        throw new IllegalArgumentException(
            "window is "
                + window
                + ", dilation "
                + dilation
                + " and global "
                + global
                + ": expected at least 1, 1 and 0");
      }
    }

    @Override
    public String type() {
      return "longformer";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new SlidingWindow(this, context, position);
    }
  }

  private final int window;
  private final int dilation;
  private final int global;

  SlidingWindow(Config config, BlockContext context, Position position) {
    super(config.heads(), config.keyValueHeads(), context, position);
    this.window = config.window();
    this.dilation = config.dilation();
    this.global = config.global();
  }

  @Override
  Tensor pattern(long start, long queries, long keys) {
    Tensor query = Tensor.arange(start, start + queries).unsqueeze(1);
    Tensor key = Tensor.arange(0, keys).unsqueeze(0);
    Tensor distance = query.sub(key);
    Tensor near = distance.abs().le((long) window * dilation);
    Tensor seen = near.and(distance.remainder(dilation).eq(0L));
    if (global > 0) {
      seen = seen.or(query.lt((long) global)).or(key.lt((long) global));
    }
    return isCausal() ? seen.and(distance.ge(0L)) : seen;
  }

  @Override
  Tensor whole(Heads h, Tensor paddingMask) {
    Heads all = new Heads(h.query(), repeatGroups(h.key()), repeatGroups(h.value()));
    Tensor result = local(all, paddingMask);
    long first = Math.min(global, h.query().size(2));
    if (first == 0) {
      return result;
    }
    Tensor queries = h.query().narrow(2, 0, first);
    Tensor mask = pattern(0, first, h.key().size(2));
    Tensor allowed = paddingMask == null ? mask : mask.and(paddingMask.unsqueeze(1).unsqueeze(1));
    Tensor seeing = Functional.attention(queries, h.key(), h.value(), allowed, false, null);
    long rest = result.size(2) - first;
    return rest == 0 ? seeing : Tensor.cat(2, seeing, result.narrow(2, first, rest));
  }

  /**
   * A division of tokens into sequences of those a step apart, and of these into chunks as long as
   * the window, as far as the text is: a window or dilation beyond its end costs nothing.
   *
   * @param step δ, at most the number of tokens
   * @param chunks of each of the δ sequences
   */
  private record Strides(long step, Chunks chunks) {
    static Strides of(long length, int dilation, int window) {
      long step = Math.min(dilation, length);
      long each = (length + step - 1) / step;
      return new Strides(step, Chunks.of(each, Math.min(window, each)));
    }

    /** Number of places, padding included. */
    long places() {
      return chunks.count() * chunks.size() * step;
    }

    /**
     * Cuts places, [..., N C, δ, ...] at a dimension, into sequences and chunks [..., δ, N, C,
     * ...].
     */
    Tensor cut(Tensor places, int dim) {
      return places.transpose(dim, dim + 1).unflatten(dim + 1, chunks.count(), -1);
    }
  }

  /** Computes all but the global queries: each chunk sees its own and its neighbours' keys. */
  private Tensor local(Heads h, Tensor paddingMask) {
    long length = h.query().size(2);
    Strides strides = Strides.of(length, dilation, window);
    Chunks chunks = strides.chunks;
    Tensor query = strided(h.query(), strides);
    Tensor key = strided(h.key(), strides);
    Tensor value = strided(h.value(), strides);
    Tensor keys = around(key);
    Tensor values = around(value);
    Tensor mask = mask(strides, length, paddingMask);
    if (global > 0) {
      long first = Math.min(global, length);
      keys = withGlobal(keys, h.key().narrow(2, 0, first));
      values = withGlobal(values, h.value().narrow(2, 0, first));
      Tensor seen =
          paddingMask == null ? Tensor.ones(1, first).gt(0) : paddingMask.narrow(1, 0, first);
      Tensor global = seen.view(-1, 1, 1, 1, 1, first);
      Tensor columns = isCausal() ? global.and(notBefore(strides, first)) : global;
      long batch = Math.max(mask.size(0), columns.size(0));
      mask =
          Tensor.cat(
              5,
              mask.expand(batch, -1, -1, -1, -1, -1),
              columns.expand(batch, 1, strides.step, chunks.count(), chunks.size(), first));
    }
    // [B, H, δ, N, C, d]: one attention for each chunk, of all sequences and heads.
    long batch = query.size(0);
    Tensor flatMask =
        mask.expand(mask.size(0), mask.size(0) == 1 ? 1 : heads(), -1, -1, -1, -1)
            .flatten(2, 3)
            .flatten(0, 1);
    Tensor result =
        Functional.attention(
            query.flatten(2, 3).flatten(0, 1),
            keys.flatten(2, 3).flatten(0, 1),
            values.flatten(2, 3).flatten(0, 1),
            flatMask,
            false,
            null);
    Tensor tokens = result.reshape(batch, heads(), strides.step, -1, headDim());
    return tokens.transpose(2, 3).flatten(2, 3).narrow(2, 0, length);
  }

  /** Reshapes [B, H, T, d] to [B, H, δ, N, C, d]: token t is in sequence t mod δ. */
  private static Tensor strided(Tensor x, Strides strides) {
    long missing = strides.places() - x.size(2);
    Tensor all = missing == 0 ? x : Functional.pad(x, 0, 0, 0, 0, missing);
    return strides.cut(all.unflatten(2, -1, strides.step), 2);
  }

  /** The chunk before each, itself, and unless causal the one after: [..., N, 3 C, d]. */
  private Tensor around(Tensor chunks) {
    Tensor flat = chunks.flatten(1, 2);
    Tensor before = Chunks.shifted(flat, -1);
    Tensor all =
        isCausal()
            ? Tensor.cat(3, before, flat)
            : Tensor.cat(3, before, flat, Chunks.shifted(flat, 1));
    return all.unflatten(1, heads(), -1);
  }

  private Tensor withGlobal(Tensor keys, Tensor first) {
    Tensor all = first.unsqueeze(2).unsqueeze(2);
    return Tensor.cat(4, keys, all.expand(-1, -1, keys.size(2), keys.size(3), -1, -1));
  }

  /** A mask that is true where a global key is not after the query: [1, 1, δ, N, C, g]. */
  private static Tensor notBefore(Strides strides, long first) {
    return positions(strides).unsqueeze(5).ge(Tensor.arange(0, first));
  }

  /** The index of the token at each place: int64 [1, 1, δ, N, C]. */
  private static Tensor positions(Strides strides) {
    return strides.cut(Tensor.arange(0, strides.places()).view(1, 1, -1, strides.step), 2);
  }

  /** The mask of keys around a chunk that a query sees: bool [B or 1, 1, δ, N, C, 2 C or 3 C]. */
  private Tensor mask(Strides strides, long length, Tensor paddingMask) {
    long size = strides.chunks.size();
    Tensor query = Tensor.arange(size, 2 * size).unsqueeze(1);
    Tensor key = Tensor.arange(0, isCausal() ? 2 * size : 3 * size).unsqueeze(0);
    Tensor distance = query.sub(key);
    Tensor near = distance.abs().le(size);
    Tensor seen = isCausal() ? near.and(distance.ge(0L)) : near;
    Tensor position = positions(strides);
    Tensor there = position.ge((long) global).and(position.lt(length));
    if (paddingMask != null) {
      Tensor padded =
          Functional.pad(
              paddingMask.to(dev.jformer.tensor.DType.FLOAT32), 0, 0, strides.places() - length);
      Tensor kept = strides.cut(padded.view(paddingMask.size(0), 1, -1, strides.step), 2);
      there = there.and(kept.gt(0));
    }
    Tensor flags = there.to(dev.jformer.tensor.DType.FLOAT32).unsqueeze(5).flatten(1, 2);
    Tensor before = Chunks.shifted(flags, -1);
    Tensor all =
        isCausal()
            ? Tensor.cat(3, before, flags)
            : Tensor.cat(3, before, flags, Chunks.shifted(flags, 1));
    Tensor columns = all.squeeze(4).unflatten(1, 1, -1).gt(0).unsqueeze(4);
    return columns.and(seen);
  }
}
