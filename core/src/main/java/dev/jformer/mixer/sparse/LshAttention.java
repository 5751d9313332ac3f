package dev.jformer.mixer.sparse;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.Attention;
import dev.jformer.mixer.attention.AttentionMask;
import dev.jformer.mixer.internal.Chunks;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Position;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * Attention by locality-sensitive hashing of <a href="https://arxiv.org/abs/2001.04451">Reformer:
 * The Efficient Transformer</a>, one of the mixers of <a href="https://arxiv.org/abs/2103.14636">A
 * Practical Survey on Faster and Lighter Transformers</a>. Queries are keys too, of length one, and
 * a token sees those that a random rotation hashes into its bucket. Tokens are sorted by bucket and
 * then by position and cut into chunks; each sees its own chunk and the one before, those of its
 * bucket there. Several rounds of hashing are joined by how much weight each found; a pair that n
 * rounds found has log n subtracted from its logit in each, so that it counts once. A token sees
 * itself only if it sees no other. Time is O(T log T), memory O(T).
 *
 * <p>As in the paper there are twice as many buckets as chunks, so that a chunk holds two buckets
 * on average; a sequence that fits one chunk has one bucket. Padding is sorted behind all buckets
 * and takes no place in the chunks of others: a padded sequence gives what it gives alone. In
 * causal models later tokens never have weight; but which earlier ones are in a token's chunk can
 * depend on how many later ones share its bucket, as in the paper. Rotations are drawn in every
 * pass, from a seed that the library's generator gives.
 *
 * <p>Earlier builds had a quarter as many buckets, counted a pair once for each round, and sorted
 * padding among the tokens. Models of them load, and give slightly other results on sequences
 * longer than a chunk.
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
  public Map<String, List<Long>> joinedRows() {
    long each = (long) heads() * headDim();
    return Map.of("qkv", List.of(each, each));
  }

  @Override
  public State start(long batch, long capacity) {
    throw new UnsupportedOperationException(
        "LshAttention sorts whole sequences and cannot decode step by step");
  }

  private static Tensor unit(Tensor x) {
    return x.div(x.square().sum(-1, true).add(1e-12).sqrt());
  }

  /** Later tokens of a token's bucket decide which earlier ones are in its chunk. */
  @Override
  public Set<Dependence> dependences() {
    return isCausal() ? Set.of(Dependence.LATER_TOKENS) : Set.of();
  }

  @Override
  protected Tensor attend(Heads h, AttentionMask mask) {
    List<Hashing> hashings = new ArrayList<>();
    for (Tensor buckets : buckets(h.query(), mask.paddingMask())) {
      hashings.add(new Hashing(buckets, chunk));
    }
    return attend(h, hashings);
  }

  /** Joins the rounds of given hashings. */
  Tensor attend(Heads h, List<Hashing> hashings) {
    List<Tensor> results = new ArrayList<>();
    List<Tensor> totals = new ArrayList<>();
    for (Hashing hashing : hashings) {
      Round found = round(h, hashing, hashings);
      results.add(found.result);
      totals.add(found.total);
    }
    if (hashings.size() == 1) {
      return results.get(0);
    }
    Tensor share = Tensor.stack(0, totals.toArray(Tensor[]::new)).softmax(0).unsqueeze(4);
    return Tensor.stack(0, results.toArray(Tensor[]::new)).mul(share).sum(0, false);
  }

  /**
   * Hashes each token to a random bucket in each round, similar ones mostly to the same: int64 [B,
   * H, T] for each round, -1 at padding.
   */
  List<Tensor> buckets(Tensor query, Tensor paddingMask) {
    try (Mode mode = Autograd.noGrad()) {
      // From a seed: however many are drawn, the library's generator goes on from the same state.
      SplittableRandom random =
          new SplittableRandom(Tensor.randint(0, Long.MAX_VALUE, 1).itemLong());
      long length = query.size(2);
      Tensor lengths =
          paddingMask == null
              ? Tensor.full((double) length, DType.INT64, 1)
              : paddingMask.to(DType.INT64).sum(1, false);
      // Half as many directions as buckets: each has two ends.
      Tensor directions = lengths.add(chunk - 1L).floorDiv((long) chunk).view(-1, 1, 1, 1);
      int most = Math.max(1, Math.toIntExact((length + chunk - 1) / chunk));
      List<Tensor> rotations = rotations(random, most);
      List<Tensor> rounds = new ArrayList<>();
      for (Tensor rotation : rotations) {
        rounds.add(
            Scope.tidy(() -> hashed(query, rotation.to(query.dtype()), directions, paddingMask)));
      }
      return rounds;
    }
  }

  /**
   * Draws the directions of all rounds, [H, d, directions] each. The first ones are the same
   * however many there are.
   */
  private List<Tensor> rotations(SplittableRandom random, int directions) {
    int each = heads() * headDim();
    float[][] drawn = new float[rounds][each * directions];
    for (int i = 0; i < directions; i++) {
      for (float[] round : drawn) {
        for (int k = 0; k < each; k++) {
          round[k * directions + i] = (float) random.nextGaussian();
        }
      }
    }
    List<Tensor> rotations = new ArrayList<>();
    for (float[] round : drawn) {
      rotations.add(Tensor.of(round, heads(), headDim(), directions));
    }
    return rotations;
  }

  private static Tensor hashed(
      Tensor query, Tensor rotation, Tensor directions, Tensor paddingMask) {
    Tensor turned = query.matmul(rotation);
    Tensor surplus = Tensor.arange(0, rotation.size(2)).ge(directions);
    Tensor ahead = turned.maskedFill(surplus, Double.NEGATIVE_INFINITY);
    Tensor behind = turned.neg().maskedFill(surplus, Double.NEGATIVE_INFINITY);
    Tensor bucket = Tensor.cat(3, ahead, behind).argmax(3);
    Tensor buckets = bucket.maskedFill(directions.le(1L).squeeze(3), 0); // of a single chunk
    return paddingMask == null
        ? buckets
        : buckets.maskedFill(paddingMask.not().unsqueeze(1), Hashing.PADDING);
  }

  /**
   * The tokens of a round, sorted by bucket and then by position and cut into chunks.
   *
   * @param order the position of each sorted token, [B, H, T]
   * @param back the place of each token in this order, [B, H, T]
   * @param code a number for bucket and chunk of each token, [B, H, T]: a token sees another in
   *     this round if its number is equal or greater by one
   */
  private record Sorted(Tensor order, Tensor back, Tensor code) {}

  /** A round of hashing: which tokens are in which bucket, int64 [B, H, T]. */
  static final class Hashing {
    static final long PADDING = -1;

    private final Tensor buckets;
    private final Sorted sorted;

    Hashing(Tensor buckets, int chunk) {
      this.buckets = buckets;
      long length = buckets.size(2);
      Tensor places = Tensor.arange(0, length);
      // Padding comes last.
      Tensor behind = buckets.maskedFill(buckets.lt(0L), 2.0 * length + 2);
      Tensor order = behind.mul(length).add(places).sort(2, false).indices();
      Tensor back = order.sort(2, false).indices();
      long chunks = (length + chunk - 1) / chunk;
      Tensor code = behind.mul(chunks + 2).add(back.floorDiv((long) chunk));
      this.sorted = new Sorted(order, back, code);
    }
  }

  /**
   * The result of a round of hashing.
   *
   * @param result [B, H, T, d]
   * @param total logarithm of the sum of the exponentials of a token's logits, [B, H, T]
   */
  record Round(Tensor result, Tensor total) {}

  /**
   * Attention inside the buckets of a hashing.
   *
   * @param all the hashings of all rounds, this one included
   */
  Round round(Heads h, Hashing hashing, List<Hashing> all) {
    Tensor order = hashing.sorted.order;
    Tensor back = hashing.sorted.back;
    Tensor wide = order.unsqueeze(3).expand(-1, -1, -1, headDim());
    Chunks chunks = Chunks.of(h.query().size(2), Math.min(chunk, h.query().size(2)));
    Tensor query = chunks.cut(h.query().gather(2, wide));
    Tensor key = before(chunks.cut(unit(h.query()).gather(2, wide)));
    Tensor value = before(chunks.cut(h.value().gather(2, wide)));
    Tensor places = cut(order, chunks, -1);
    Tensor queryPlace = places.unsqueeze(4);
    Tensor keyPlace = columns(places, -1).unsqueeze(3);
    Tensor seen =
        pairs(hashing, order, chunks)
            .and(
                columns(cut(hashing.buckets.gather(2, order), chunks, -1), -1).unsqueeze(3).ge(0L));
    if (isCausal()) {
      seen = seen.and(queryPlace.ge(keyPlace));
    }
    Tensor logits = query.mul(1 / Math.sqrt(headDim())).matmul(key.t());
    if (all.size() > 1) {
      logits = logits.sub(times(all, order, chunks, logits.dtype()).log());
    }
    logits = logits.maskedFill(queryPlace.eq(keyPlace), SELF);
    logits = logits.maskedFill(seen.not(), Double.NEGATIVE_INFINITY);
    // A padded query may see nothing: its result does not count but must not be NaN.
    Tensor total = logits.clamp(-1e30, Double.POSITIVE_INFINITY).logSumExp(4, true);
    Tensor result = logits.sub(total).exp().matmul(value);
    Tensor tokens = chunks.join(result).gather(2, back.unsqueeze(3).expand(-1, -1, -1, headDim()));
    Tensor sums = chunks.join(total).squeeze(3).gather(2, back);
    return new Round(tokens, sums);
  }

  /** A code of no token, far from that of any. */
  private static final long NONE = -9;

  /** Whether a round finds a pair, for pairs in the chunks of an order: bool [B, H, N, C, 2 C]. */
  private static Tensor pairs(Hashing hashing, Tensor order, Chunks chunks) {
    Tensor code = cut(hashing.sorted.code.gather(2, order), chunks, NONE);
    Tensor difference = code.unsqueeze(4).sub(columns(code, NONE).unsqueeze(3));
    return difference.ge(0L).and(difference.le(1L));
  }

  /** The number of rounds that find each pair, at least 1: [B, H, N, C, 2 C]. */
  private static Tensor times(List<Hashing> all, Tensor order, Chunks chunks, DType dtype) {
    Tensor sum = null;
    for (Hashing each : all) {
      Tensor found = pairs(each, order, chunks).to(dtype);
      sum = sum == null ? found : sum.add(found);
    }
    return sum.clamp(1, Double.POSITIVE_INFINITY);
  }

  /** Cuts numbers of tokens [B, H, T] into chunks [B, H, N, C], with {@code none} at the end. */
  private static Tensor cut(Tensor numbers, Chunks chunks, long none) {
    long missing = chunks.count() * chunks.size() - chunks.length();
    return Functional.pad(numbers, (double) none, 0, missing).unflatten(2, -1, chunks.size());
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
