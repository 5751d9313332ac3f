package dev.jformer.mixer.sparse;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.Attention;
import dev.jformer.mixer.attention.AttentionMask;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.internal.Chunks;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Position;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Full attention as a structured conditional expectation, of <a
 * href="https://arxiv.org/abs/2107.05768">Combiner: Full Attention Transformer with Sparse
 * Computation Cost</a>. A query sees some keys directly, and all others through summaries of their
 * regions: the softmax is over direct keys and regions, p(j|i) = p(Ω|i) p(j|Ω) for j in region Ω. A
 * region's key is pooled from its keys; p(j|Ω) is the softmax over its keys of their product with a
 * query pooled from its queries, divided by √d. So every allowed pair has a positive weight and the
 * weights of a query sum to one.
 *
 * <p>Three factorisations:
 *
 * <ul>
 *   <li>{@code fixed}: tokens are cut into blocks of about √T; direct is the own block, regions are
 *       the other ones. O(T √T).
 *   <li>{@code log-sparse}: direct is the own block of fixed size; regions are the sibling halves
 *       on the way from it to the root of a binary tree of blocks, so that they double in length.
 *       O(T log T). The paper's regions end in tokens that are seen directly; here it is the own
 *       block that is.
 *   <li>{@code axial}: tokens form rows, those of an image its own, those of a sequence rows of
 *       about √T; direct is the own column, regions are the other columns (the paper's
 *       axial-vertical). O(T √T).
 * </ul>
 *
 * In causal models, regions hold only earlier tokens. Where the block is chosen by the length, that
 * is the length of the batch, padding included ({@link Dependence#PADDED_LENGTH}).
 */
public final class Combiner extends Attention {
  /** The default number of tokens in a block of the log-sparse kind. */
  private static final int LEAF = 32;

  /** How pairs are factorised. */
  public enum Kind {
    /** Blocks of about √T. */
    FIXED,
    /** Regions that double in length. */
    LOG_SPARSE,
    /** Columns. */
    AXIAL
  }

  /** How the queries and keys of a region are pooled. */
  public enum Pool {
    /** The largest of each channel. */
    MAX,
    /** The mean of each channel. */
    MEAN
  }

  /**
   * Configuration.
   *
   * @param heads H, must divide the width
   * @param kind how pairs are factorised
   * @param pool how regions are pooled
   * @param block number of tokens in a block, or of columns; 0 to choose by the length
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(int heads, Kind kind, Pool pool, int block) implements TokenMixer.Config {
    /** Defaults: fixed blocks of about √T, max pooling. */
    public Config() {
      this(4, Kind.FIXED, Pool.MAX, 0);
    }

    /** Checks the values. */
    public Config {
      checkHeads(heads, 0);
      Checks.atLeast("block", block, 0);
    }

    @Override
    public String type() {
      return "combiner";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new Combiner(this, context, position);
    }
  }

  private final Config config;
  private final int rows;

  Combiner(Config config, BlockContext context, Position position) {
    super(config.heads(), 0, context, position);
    this.config = config;
    this.rows = context.rows();
    refuseBias();
  }

  @Override
  public State start(long batch, long capacity) {
    throw new UnsupportedOperationException("Combiner cannot decode step by step");
  }

  @Override
  public Set<Dependence> dependences() {
    boolean byLength = config.block() == 0 && config.kind() != Kind.LOG_SPARSE;
    return byLength ? Set.of(Dependence.PADDED_LENGTH) : Set.of();
  }

  @Override
  protected Tensor attend(Heads h, AttentionMask mask) {
    return switch (config.kind()) {
      case FIXED -> fixed(h, mask.paddingMask());
      case LOG_SPARSE -> logSparse(h, mask.paddingMask());
      case AXIAL -> axial(h, mask.paddingMask());
    };
  }

  private boolean largest() {
    return config.pool() == Pool.MAX;
  }

  private long block(long length) {
    if (config.block() > 0) {
      return Math.min(config.block(), length);
    }
    return config.kind() == Kind.LOG_SPARSE
        ? Math.min(LEAF, length)
        : (long) Math.ceil(Math.sqrt((double) length));
  }

  private static Heads cut(Chunks chunks, Heads h) {
    return new Heads(chunks.cut(h.query()), chunks.cut(h.key()), chunks.cut(h.value()));
  }

  /** The mask of keys of its own block that a query sees: bool [B or 1, 1, N, C, C]. */
  private Tensor own(Tensor there) {
    Tensor keys = there.unsqueeze(3);
    if (!isCausal()) {
      return keys;
    }
    long size = there.size(3);
    return keys.and(Tensor.ones(size, size).tril(0).gt(0));
  }

  private Tensor fixed(Heads h, Tensor paddingMask) {
    Chunks chunks = Chunks.of(h.query().size(2), block(h.query().size(2)));
    Heads cut = cut(chunks, h);
    Tensor there = chunks.tokenMask(paddingMask);
    CombinerMixture.Regions regions = CombinerMixture.of(cut, there, largest());
    Tensor other = Tensor.ones(chunks.count(), chunks.count());
    Tensor seen = isCausal() ? other.tril(-1).gt(0) : other.tril(-1).add(other.triu(1)).gt(0);
    Tensor result =
        CombinerMixture.attend(
            cut.query(),
            cut.key(),
            cut.value(),
            own(there),
            regions.key().unsqueeze(2),
            regions.value().unsqueeze(2),
            regions.there().unsqueeze(2).and(seen).unsqueeze(3));
    return chunks.join(result);
  }

  private Tensor logSparse(Heads h, Tensor paddingMask) {
    long length = h.query().size(2);
    long leaf = block(length);
    long leaves = Math.max(1, Long.highestOneBit(2 * ((length + leaf - 1) / leaf) - 1));
    Chunks chunks = new Chunks(length, leaf, leaves);
    Heads cut = cut(chunks, h);
    Tensor there = chunks.tokenMask(paddingMask);
    List<Tensor> keys = new ArrayList<>();
    List<Tensor> values = new ArrayList<>();
    List<Tensor> seen = new ArrayList<>();
    for (int level = 0; leaves >> level > 1; level++) {
      Heads nodes = merged(cut, level);
      CombinerMixture.Regions regions =
          CombinerMixture.of(
              nodes, there.flatten(2, 3).unflatten(2, leaves >> level, -1), largest());
      long[] sibling = new long[(int) leaves];
      boolean[] allowed = new boolean[(int) leaves];
      for (int n = 0; n < leaves; n++) {
        sibling[n] = (n >> level) ^ 1;
        allowed[n] = !isCausal() || sibling[n] < n >> level;
      }
      Tensor index = Tensor.of(sibling);
      keys.add(regions.key().indexSelect(2, index));
      values.add(regions.value().indexSelect(2, index));
      seen.add(regions.there().indexSelect(2, index).and(Tensor.of(allowed)));
    }
    if (keys.isEmpty()) {
      return SoftmaxAttention.fused(h, new AttentionMask(0, isCausal(), paddingMask, position()));
    }
    Tensor result =
        CombinerMixture.attend(
            cut.query(),
            cut.key(),
            cut.value(),
            own(there),
            Tensor.stack(3, keys.toArray(Tensor[]::new)),
            Tensor.stack(3, values.toArray(Tensor[]::new)),
            Tensor.stack(3, seen.toArray(Tensor[]::new)).unsqueeze(3));
    return chunks.join(result);
  }

  /** Joins {@code 2^level} neighbouring chunks into one. */
  private static Heads merged(Heads h, int level) {
    long count = h.query().size(2) >> level;
    return new Heads(
        h.query().flatten(2, 3).unflatten(2, count, -1),
        h.key().flatten(2, 3).unflatten(2, count, -1),
        h.value().flatten(2, 3).unflatten(2, count, -1));
  }

  // ---- Axial

  private Tensor axial(Heads h, Tensor paddingMask) {
    long length = h.query().size(2);
    long columns = rows > 1 && config.block() == 0 ? (length + rows - 1) / rows : block(length);
    Chunks lines = Chunks.of(length, columns);
    // Columns first: [B, H, C, R, d].
    Heads cut = cut(lines, h);
    Heads turned =
        new Heads(
            cut.query().transpose(2, 3), cut.key().transpose(2, 3), cut.value().transpose(2, 3));
    Tensor there = lines.tokenMask(paddingMask).transpose(2, 3);
    Tensor result = isCausal() ? axialCausal(turned, there) : axialBidirectional(turned, there);
    return lines.join(result.transpose(2, 3).contiguous());
  }

  private Tensor axialBidirectional(Heads h, Tensor there) {
    CombinerMixture.Regions regions = CombinerMixture.of(h, there, largest());
    long columns = h.query().size(2);
    Tensor all = Tensor.ones(columns, columns);
    Tensor others = all.tril(-1).add(all.triu(1)).gt(0);
    return CombinerMixture.attend(
        h.query(),
        h.key(),
        h.value(),
        there.unsqueeze(3),
        regions.key().unsqueeze(2),
        regions.value().unsqueeze(2),
        regions.there().unsqueeze(2).and(others).unsqueeze(3));
  }

  /**
   * Causal axial attention: a query in row r and column c sees its column up to r directly and,
   * through summaries, the columns before c up to row r and those after c up to row r - 1.
   */
  private Tensor axialCausal(Heads h, Tensor there) {
    long columns = h.query().size(2);
    long lines = h.query().size(3);
    // The part of each column up to each row is a region: [B, H, C, R, R, d], masked.
    Tensor upTo = there.unsqueeze(3).and(Tensor.ones(lines, lines).tril(0).gt(0));
    CombinerMixture.Regions regions = prefixes(h, there, upTo);
    // Row by row: [B, H, R, C, d].
    Tensor key = regions.key().transpose(2, 3);
    Tensor value = regions.value().transpose(2, 3);
    Tensor filled = regions.there().transpose(2, 3);
    Tensor query = h.query().transpose(2, 3).mul(1 / Math.sqrt(headDim()));
    Tensor above = Tensor.cat(2, key.narrow(2, 0, 1).zerosLike(), key.narrow(2, 0, lines - 1));
    Tensor valueAbove =
        Tensor.cat(2, value.narrow(2, 0, 1).zerosLike(), value.narrow(2, 0, lines - 1));
    Tensor nothing = Tensor.zeros(filled.size(0), 1, 1, columns).gt(0);
    Tensor filledAbove = Tensor.cat(2, nothing, filled.narrow(2, 0, lines - 1));
    Tensor square = Tensor.ones(columns, columns);
    Tensor left = filled.unsqueeze(3).and(square.tril(-1).gt(0));
    Tensor right = filledAbove.unsqueeze(3).and(square.triu(1).gt(0));
    double none = Double.NEGATIVE_INFINITY;
    Tensor toLeft = query.matmul(key.t()).maskedFill(left.not(), none);
    Tensor toRight = query.matmul(above.t()).maskedFill(right.not(), none);
    Tensor direct =
        h.query()
            .mul(1 / Math.sqrt(headDim()))
            .matmul(h.key().t())
            .maskedFill(upTo.not(), none)
            .transpose(2, 3);
    Tensor p =
        dev.jformer.tensor.Functional.safeSoftmax(Tensor.cat(4, direct, toLeft, toRight), -1);
    Tensor near = p.narrow(4, 0, lines).transpose(2, 3).matmul(h.value());
    Tensor far =
        p.narrow(4, lines, columns)
            .matmul(value)
            .add(p.narrow(4, lines + columns, columns).matmul(valueAbove));
    return near.add(far.transpose(2, 3));
  }

  /** Summaries of the part of each column up to each row: [B, H, C, R, d]. */
  private CombinerMixture.Regions prefixes(Heads h, Tensor there, Tensor upTo) {
    Tensor query = running(h.query(), there);
    Tensor key = running(h.key(), there);
    Tensor scores =
        query
            .mul(1 / Math.sqrt(headDim()))
            .matmul(h.key().t())
            .maskedFill(upTo.not(), Double.NEGATIVE_INFINITY);
    Tensor value = dev.jformer.tensor.Functional.safeSoftmax(scores, -1).matmul(h.value());
    Tensor filled = there.to(DType.FLOAT32).cumsum(3).gt(0);
    return new CombinerMixture.Regions(key, value, filled);
  }

  /** The running maximum or mean of tokens, 0 where there are none: [B, H, C, R, d]. */
  private Tensor running(Tensor x, Tensor there) {
    Tensor mask = there.unsqueeze(4);
    Tensor kept = mask.to(x.dtype());
    Tensor count = kept.cumsum(3);
    if (largest()) {
      Tensor largest = x.maskedFill(mask.not(), -Float.MAX_VALUE).cummax(3);
      return largest.maskedFill(count.eq(0.0), 0);
    }
    return x.mul(kept).cumsum(3).div(count.clamp(1, Double.POSITIVE_INFINITY));
  }

  @Override
  protected Tensor weights(Heads h, AttentionMask mask) {
    // With one-hot values, one channel for each token, the result is the weights.
    long length = h.key().size(2);
    Tensor one = Tensor.ones(length).to(h.value().dtype());
    Tensor diagonal = Tensor.zeros(length, length).to(one.dtype()).add(one).tril(0).triu(0);
    Tensor values = diagonal.view(1, 1, length, length).expand(h.key().size(0), heads(), -1, -1);
    return attend(new Heads(h.query(), h.key(), values), mask);
  }
}
