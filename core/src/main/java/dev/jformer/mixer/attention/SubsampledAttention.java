package dev.jformer.mixer.attention;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.internal.Chunks;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.ScheduledModule;
import dev.jformer.position.Position;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Stochastically subsampled self-attention (SSA) of <a href="https://arxiv.org/abs/2306.01705">The
 * Information Pathways Hypothesis: Transformers are Dynamic Self-Ensembles</a>. In training, every
 * pass computes a random part of the pairs; otherwise all of them, or parts again, to average the
 * results of several such passes ({@link #subsample}). Of softmax attention over T keys, a pass
 * computes {@code softmax(q·K_Sᵀ/√d) V_S} for a random subset S of share T of them.
 *
 * <p>There are two kinds. <em>Unbiased</em>: k = share T of the keys are drawn, the same for all
 * queries, sequences and heads. <em>Local</em>: tokens are shuffled a little, by sorting their
 * index plus normal noise, and cut into windows of share T tokens, each of which attends to itself.
 *
 * <p>The paper leaves open what a causal query does if all drawn keys are after it; here the first
 * token is always among those drawn. The last part of training, of the share {@code dense},
 * computes all pairs, as the paper's last phase does.
 */
public final class SubsampledAttention extends Attention implements ScheduledModule {
  /** Number of queries that are computed together in causal attention. */
  private static final long CHUNK = 256;

  /** The kind of subsampling. */
  public enum Kind {
    /** Random keys. */
    UNBIASED,
    /** Windows of slightly shuffled tokens. */
    LOCAL
  }

  /**
   * Configuration.
   *
   * @param heads H, must divide the width
   * @param keyValueHeads G, must divide H; 0 for as many as heads
   * @param kind the kind of subsampling
   * @param share share of the keys that a query sees
   * @param spread of the local kind: standard deviation of the shuffling, in windows
   * @param dense share of training, at its end, that computes all pairs
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(
      int heads, int keyValueHeads, Kind kind, double share, double spread, double dense)
      implements TokenMixer.Config {
    /** Defaults: a quarter of the keys, without a dense phase. */
    public Config() {
      this(4, 0, Kind.UNBIASED, 0.25, 0.5, 0);
    }

    /** Checks the values. */
    public Config {
      checkHeads(heads, keyValueHeads);
      if (!(share > 0 && share <= 1)) {
        throw new IllegalArgumentException("share is " + share + ": expected more than 0, up to 1");
      }
      Checks.atLeast("spread", spread, 0);
      if (!(dense >= 0 && dense <= 1)) {
        throw new IllegalArgumentException("dense is " + dense + ": expected 0 to 1");
      }
    }

    @Override
    public String type() {
      return "ssa";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new SubsampledAttention(this, context, position);
    }
  }

  private final Config config;
  private boolean always;
  private boolean finishing;

  SubsampledAttention(Config config, BlockContext context, Position position) {
    super(config.heads(), config.keyValueHeads(), context, position);
    this.config = config;
    refuseBias();
  }

  /** Sets whether inference is subsampled too. */
  public void subsample(boolean on) {
    this.always = on;
  }

  @Override
  public void before(long step, long steps) {
    this.finishing = step >= (1 - config.dense()) * (double) steps;
  }

  @Override
  protected Tensor attend(Heads h, AttentionMask mask) {
    boolean part = isTraining() ? !finishing : always;
    long length = h.query().size(2);
    long count = Math.max(1, Math.round(config.share() * length));
    if (!part || count == length || mask.start() > 0 || length != h.key().size(2)) {
      return SoftmaxAttention.fused(h, mask);
    }
    return config.kind() == Kind.UNBIASED
        ? drawn(h, mask.paddingMask(), draw(length, count))
        : shuffled(h, mask.paddingMask(), order(length, count), count);
  }

  /** Draws positions of keys, in order: int64 [k]. */
  private Tensor draw(long length, long count) {
    if (!isCausal()) {
      return Tensor.randperm(length).narrow(0, 0, count).sort(0, false).values();
    }
    Tensor others = Tensor.randperm(length - 1).narrow(0, 0, count - 1).add(1L);
    return Tensor.cat(0, Tensor.arange(0, 1), others.sort(0, false).values());
  }

  /** Attention to the keys at these positions, in rising order. */
  Tensor drawn(Heads h, Tensor paddingMask, Tensor positions) {
    Heads some =
        new Heads(
            h.query(), h.key().indexSelect(2, positions), h.value().indexSelect(2, positions));
    Tensor kept =
        paddingMask == null
            ? null
            : paddingMask.indexSelect(1, positions).unsqueeze(1).unsqueeze(1);
    if (!isCausal()) {
      return Functional.attention(some.query(), some.key(), some.value(), kept, false, null);
    }
    long[] drawn = positions.toLongs();
    List<Tensor> parts = new ArrayList<>();
    int seen = 0;
    long from = 0;
    for (Tensor queries : some.query().split(2, sizes(h.query().size(2)))) {
      long size = queries.size(2);
      while (seen < drawn.length && drawn[seen] < from + size) {
        seen++;
      }
      // Keys after the chunk are left out; within the chunk, keys after a query are masked.
      Tensor query = Tensor.arange(from, from + size).unsqueeze(1);
      Tensor mask = query.ge(positions.narrow(0, 0, seen).unsqueeze(0));
      parts.add(
          Functional.attention(
              queries,
              some.key().narrow(2, 0, seen),
              some.value().narrow(2, 0, seen),
              kept == null ? mask : mask.and(kept.narrow(3, 0, seen)),
              false,
              null));
      from += size;
    }
    return Tensor.cat(2, parts.toArray(Tensor[]::new));
  }

  /** The sizes of the chunks of {@code length} queries. */
  private static long[] sizes(long length) {
    return LongStream.iterate(length, left -> left > 0, left -> left - CHUNK)
        .map(left -> Math.min(left, CHUNK))
        .toArray();
  }

  /** Positions sorted by index plus noise: int64 [T]. */
  private Tensor order(long length, long window) {
    Tensor noise = Tensor.randn(length).mul(config.spread() * (double) window);
    return Tensor.arange(0, length).to(DType.FLOAT32).add(noise).sort(0, false).indices();
  }

  /** Attention inside windows of tokens in this order. */
  Tensor shuffled(Heads h, Tensor paddingMask, Tensor order, long window) {
    long length = h.query().size(2);
    Chunks chunks = Chunks.of(length, window);
    // A window is a set: with its tokens in order, the kernel's causal mask applies.
    Tensor sorted = inWindows(order, chunks);
    Tensor query = chunks.cut(h.query().indexSelect(2, sorted)).flatten(0, 1);
    Tensor key = chunks.cut(repeatGroups(h.key()).indexSelect(2, sorted)).flatten(0, 1);
    Tensor value = chunks.cut(repeatGroups(h.value()).indexSelect(2, sorted)).flatten(0, 1);
    Tensor result;
    // The padding of the last window comes after its tokens.
    if (paddingMask == null && (isCausal() || chunks.full(null))) {
      result = Functional.attention(query, key, value, null, isCausal(), null);
    } else {
      Tensor mask =
          chunks
              .tokenMask(paddingMask == null ? null : paddingMask.indexSelect(1, sorted))
              .unsqueeze(3);
      if (isCausal()) {
        mask = mask.and(Tensor.ones(window, window).tril(0).gt(0));
      }
      Tensor each = mask.expand(mask.size(0), mask.size(0) == 1 ? 1 : heads(), -1, -1, -1);
      result = Functional.attention(query, key, value, each.flatten(0, 1), false, null);
    }
    Tensor tokens = chunks.join(result.unflatten(0, -1, heads()));
    Tensor back = sorted.sort(0, false).indices();
    return tokens.indexSelect(2, back);
  }

  /** The same windows, each with its positions in rising order. */
  private static Tensor inWindows(Tensor order, Chunks chunks) {
    long all = chunks.count() * chunks.size();
    Tensor filled = Functional.pad(order, (double) chunks.length(), 0, all - chunks.length());
    Tensor sorted = filled.view(chunks.count(), chunks.size()).sort(1, false).values();
    return sorted.flatten(0, 1).narrow(0, 0, chunks.length());
  }
}
