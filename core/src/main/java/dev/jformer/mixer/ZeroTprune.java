package dev.jformer.mixer;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * Zero-TPrune (arXiv 2305.17328): which tokens matter is read from the graph of attention, without
 * any training. Its I'-S-I pattern:
 *
 * <p>I': each head's importance of tokens is one round of votes, {@code s ← Aᵀ s} (weighted page
 * rank), in which each token votes by its attention and its own importance counts. Heads are
 * combined by the root of the mean of squares, which emphasises regions that few heads find
 * informative; heads whose importance varies too little over the tokens, or too much, do not count.
 *
 * <p>S: the less important half of the tokens is matched with the more important one by the cosine
 * of their keys, and those of the former that are most like one of the latter are dropped.
 *
 * <p>I: of what is left the most important tokens stay, after as many rounds as the depth of the
 * block asks for: attention of early blocks needs more to settle.
 *
 * <p>Settled here, as the paper's code is not public: the first token, where it stands for the
 * class, begins with √T times the importance of the others; variances are those of T s, whose mean
 * is 1; where no head is within the bounds, all count; keys of all heads side by side are compared;
 * padding has no votes and gets none, and a sequence's length is its own.
 *
 * @param rounds of votes in the first third of the blocks, the second and the last
 * @param low the smallest variance of a head that counts
 * @param high the largest
 * @param similar share of the tokens that leave, which do so because they are like others
 */
@AutoService(Thinning.class)
public record ZeroTprune(List<Integer> rounds, double low, double high, double similar)
    implements Thinning {
  /** The paper's bounds; 30, 5 and 1 rounds; a third of what leaves by similarity. */
  public ZeroTprune() {
    this(List.of(30, 5, 1), 0.01, 0.7, 1.0 / 3);
  }

  /** Checks the values. */
  public ZeroTprune {
    if (rounds.size() != 3 || rounds.stream().anyMatch(r -> r < 1)) {
      throw new IllegalArgumentException(
          "rounds is " + rounds + ": expected three numbers, of at least 1");
    }
    if (!(low >= 0 && low <= high) || !(similar >= 0 && similar <= 1)) {
      throw new IllegalArgumentException(
          "low is "
              + low
              + ", high is "
              + high
              + " and similar is "
              + similar
              + ": expected bounds in order and a share");
    }
  }

  @Override
  public String type() {
    return "zero-tprune";
  }

  @Override
  public Verdict judge(Scene scene) {
    Tensor present = scene.present();
    if (similar > 0) {
      Tensor early = importance(scene, present, 1);
      present = present.sub(redundant(scene, early));
    }
    int third = Math.min(2, 3 * scene.layer() / scene.layers());
    Tensor scores = importance(scene, present, rounds.get(third));
    return new Verdict(scores.maskedFill(present.eq(0.0), -1), null);
  }

  /**
   * The importance of tokens, [B, T].
   *
   * @param present 1 for those that vote, [B, T] or [1, T]
   */
  Tensor importance(Scene scene, Tensor present, int times) {
    Tensor a = scene.attention();
    Tensor votes = present.unsqueeze(1).unsqueeze(1); // [B, 1, 1, T]
    boolean all = scene.keep() == null && present.size(0) == 1;
    Tensor graph = all ? a : a.mul(votes);
    Tensor s = start(scene, votes).expand(a.size(0), a.size(1), 1, a.size(3));
    for (int i = 0; i < times; i++) {
      s = s.matmul(graph);
    }
    s = s.squeeze(2);
    Tensor count = present.sum(1, true).unsqueeze(1); // [B, 1, 1]
    Tensor shares = s.div(s.sum(2, true).clamp(1e-30, Double.POSITIVE_INFINITY));
    return combined(shares, present.unsqueeze(1), count);
  }

  private static Tensor start(Scene scene, Tensor votes) {
    if (!scene.first()) {
      return votes;
    }
    Tensor count = votes.sum(3, true);
    Tensor first = Tensor.zeros(1, 1, 1, votes.size(3));
    first.narrow(3, 0, 1).fill_(1);
    return votes.add(first.mul(count.sqrt().sub(1.0)));
  }

  /**
   * Heads as one, [B, H, T] to [B, T], by the root of the mean of the squares of those that count.
   */
  private Tensor combined(Tensor shares, Tensor present, Tensor count) {
    Tensor off = shares.mul(count).sub(1.0).mul(present);
    Tensor variance = off.square().sum(2, true).div(count); // [B, H, 1]
    Tensor counts = variance.ge(low).and(variance.le(high)).to(DType.FLOAT32);
    Tensor none = counts.sum(1, true).eq(0.0).to(DType.FLOAT32);
    Tensor weights = counts.add(none);
    return shares.square().mul(weights).sum(1, false).div(weights.sum(1, false)).sqrt();
  }

  /** 1 for tokens that leave because they are like more important ones, [B, T]. */
  private Tensor redundant(Scene scene, Tensor importance) {
    Tensor present = scene.present();
    Tensor ranked = importance.mul(present).sub(present.neg().add(1.0));
    if (scene.first()) {
      ranked.narrow(1, 0, 1).fill_(Float.MAX_VALUE);
    }
    Tensor rank = ranks(ranked);
    Tensor half = scene.counts().mul(0.5).floor();
    Tensor better = rank.lt(half); // [B, T]
    Tensor keys = scene.key().transpose(1, 2).flatten(2, 3);
    Tensor unit = keys.div(keys.square().sum(2, true).sqrt().clamp(1e-12, Float.MAX_VALUE));
    Tensor likeness = unit.matmul(unit.t());
    Tensor best = likeness.maskedFill(better.not().unsqueeze(1), -2).max(2, false);
    Tensor candidates = best.maskedFill(better, -3).maskedFill(rank.ge(scene.counts()), -3);
    Tensor leaving = scene.counts().sub(scene.staying()).mul(similar).floor();
    Tensor most = scene.counts().sub(half);
    return ranks(candidates).lt(leaving.minimum(most)).to(DType.FLOAT32);
  }

  /** How many of a row are larger, for each: float32 [B, T], 0 for the largest. */
  private static Tensor ranks(Tensor rows) {
    Tensor order = rows.sort(1, true).indices();
    Tensor places =
        Tensor.arange(0, rows.size(1)).to(DType.FLOAT32).unsqueeze(0).expand(rows.size(0), -1);
    return rows.zerosLike().scatter(1, order, places);
  }
}
