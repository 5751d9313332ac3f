package dev.jformer.mixer.sparse;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.Attention;
import dev.jformer.mixer.attention.AttentionMask;
import dev.jformer.mixer.internal.Chunks;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Position;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Attention by locality-sensitive hashing of <a href="https://arxiv.org/abs/2001.04451">Reformer:
 * The Efficient Transformer</a>, one of the mixers of <a href="https://arxiv.org/abs/2103.14636">A
 * Practical Survey on Faster and Lighter Transformers</a>. Queries are keys too, of length one, and
 * a token sees those that a random rotation hashes into its bucket. Tokens are sorted by bucket and
 * then by position and cut into chunks; each sees its own chunk and the one before, those of its
 * bucket there. Several rounds of hashing are joined by how much weight each found. A token sees
 * itself only if it sees no other. Time is O(T log T), memory O(T).
 *
 * <p>The number of buckets is the sequence's length over that of two chunks, rounded up to an even
 * number. In causal models later tokens never have weight; but which earlier ones are in a token's
 * chunk can depend on how many later ones share its bucket, as in the paper. Rotations are drawn in
 * every pass, from the library's generator.
 */
public final class LshAttention extends Attention {
  /** The logit of a token for itself, far below all others. */
  private static final double SELF = -1e5;

  /**
   * Configuration.
   *
   * @param heads H, must divide the width
   * @param chunk number of tokens in a chunk
   * @param rounds number of rounds of hashing
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(int heads, int chunk, int rounds) implements TokenMixer.Config {
    /** Defaults: chunks of 64, two rounds. */
    public Config() {
      this(4, 64, 2);
    }

    /** Checks the values. */
    public Config {
      checkHeads(heads, 0);
      if (chunk < 1 || rounds < 1) {
        throw new IllegalArgumentException(
            "chunk is " + chunk + " and rounds " + rounds + ": expected at least 1");
      }
    }

    @Override
    public String type() {
      return "reformer";
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return new LshAttention(this, context, position);
    }
  }

  private final int chunk;
  private final int rounds;

  LshAttention(Config config, BlockContext context, Position position) {
    super(config.heads(), 0, 2L * config.heads(), context, position);
    this.chunk = config.chunk();
    this.rounds = config.rounds();
    refuseBias();
  }

  /** Splits queries and values; keys are computed from queries after the position encoding. */
  @Override
  protected Heads split(Tensor all) {
    List<Tensor> parts = all.split(1, heads(), heads());
    return new Heads(parts.get(0), parts.get(0), parts.get(1));
  }

  @Override
  public State start(long batch, long capacity) {
    throw new UnsupportedOperationException(
        "LshAttention sorts whole sequences and cannot decode step by step");
  }

  private static Tensor unit(Tensor x) {
    return x.div(x.square().sum(-1, true).add(1e-12).sqrt());
  }

  @Override
  protected Tensor attend(Heads h, AttentionMask mask) {
    List<Tensor> results = new ArrayList<>();
    List<Tensor> totals = new ArrayList<>();
    for (int round = 0; round < rounds; round++) {
      Tensor buckets = buckets(h.query());
      Round found = round(h, mask.paddingMask(), buckets);
      results.add(found.result);
      totals.add(found.total);
    }
    if (rounds == 1) {
      return results.get(0);
    }
    Tensor share = Tensor.stack(0, totals.toArray(Tensor[]::new)).softmax(0).unsqueeze(4);
    return Tensor.stack(0, results.toArray(Tensor[]::new)).mul(share).sum(0, false);
  }

  /** Hashes each token to a random bucket, similar ones mostly to the same: int64 [B, H, T]. */
  Tensor buckets(Tensor query) {
    long length = query.size(2);
    // Half as many directions as buckets: each has two ends.
    long half = Math.max(1, (length + 4L * chunk - 1) / (4L * chunk));
    try (Mode mode = Autograd.noGrad()) {
      return Scope.tidy(
          () -> {
            if (length <= chunk) {
              return Tensor.zeros(dev.jformer.tensor.DType.INT64, query.size(0), heads(), length);
            }
            Tensor rotation = Tensor.randn(heads(), headDim(), half).to(query.dtype());
            Tensor turned = query.matmul(rotation);
            return Tensor.cat(3, turned, turned.neg()).argmax(3);
          });
    }
  }

  /**
   * The result of a round of hashing.
   *
   * @param result [B, H, T, d]
   * @param total logarithm of the sum of the exponentials of a token's logits, [B, H, T]
   */
  record Round(Tensor result, Tensor total) {}

  /** Attention inside given buckets, int64 [B, H, T]. */
  Round round(Heads h, Tensor paddingMask, Tensor buckets) {
    long length = h.query().size(2);
    Tensor order = buckets.mul(length).add(Tensor.arange(0, length)).sort(2, false).indices();
    Tensor back = order.sort(2, false).indices();
    Tensor wide = order.unsqueeze(3).expand(-1, -1, -1, headDim());
    Chunks chunks = Chunks.of(length, chunk);
    Tensor query = chunks.cut(h.query().gather(2, wide));
    Tensor key = before(chunks.cut(unit(h.query()).gather(2, wide)));
    Tensor value = before(chunks.cut(h.value().gather(2, wide)));
    long missing = chunks.count() * chunk - length;
    Tensor places = Functional.pad(order, -1, 0, missing).unflatten(2, -1, chunk);
    Tensor bucket =
        Functional.pad(buckets.gather(2, order), -1, 0, missing).unflatten(2, -1, chunk);
    Tensor there = places.ge(0L);
    if (paddingMask != null) {
      Tensor kept = paddingMask.unsqueeze(1).expand(-1, heads(), -1).gather(2, order);
      Tensor padded = Functional.pad(kept.to(dev.jformer.tensor.DType.INT64), 0, 0, missing);
      there = padded.unflatten(2, -1, chunk).gt(0L);
    }
    Tensor queryPlace = places.unsqueeze(4);
    Tensor keyPlace = columns(places, -1).unsqueeze(3);
    Tensor seen =
        bucket
            .unsqueeze(4)
            .eq(columns(bucket, -2).unsqueeze(3))
            .and(columns(there.to(dev.jformer.tensor.DType.INT64), 0).unsqueeze(3).gt(0L));
    if (isCausal()) {
      seen = seen.and(queryPlace.ge(keyPlace));
    }
    Tensor logits = query.mul(1 / Math.sqrt(headDim())).matmul(key.t());
    logits = logits.maskedFill(queryPlace.eq(keyPlace), SELF);
    logits = logits.maskedFill(seen.not(), Double.NEGATIVE_INFINITY);
    // A padded query may see nothing: its result does not count but must not be NaN.
    Tensor total = logits.clamp(-1e30, Double.POSITIVE_INFINITY).logSumExp(4, true);
    Tensor result = logits.sub(total).exp().matmul(value);
    Tensor tokens = chunks.join(result).gather(2, back.unsqueeze(3).expand(-1, -1, -1, headDim()));
    Tensor sums = chunks.join(total).squeeze(3).gather(2, back);
    return new Round(tokens, sums);
  }

  /** The chunk before each, followed by itself; zeros before the first. */
  private static Tensor before(Tensor chunks) {
    return Tensor.cat(3, Chunks.shifted(chunks, -1), chunks);
  }

  /** The same for one number of each token, [B, H, N, C] to [B, H, N, 2 C]. */
  private static Tensor columns(Tensor numbers, long none) {
    Tensor first = numbers.narrow(2, 0, 1).zerosLike().add(none);
    long count = numbers.size(2);
    return Tensor.cat(3, Tensor.cat(2, first, numbers.narrow(2, 0, count - 1)), numbers);
  }

  @Override
  protected Tensor weights(Heads h, AttentionMask mask) {
    throw new UnsupportedOperationException(
        "LshAttention draws the pairs of tokens in every pass, so it has no fixed weights");
  }
}
