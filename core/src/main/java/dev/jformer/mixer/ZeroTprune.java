package dev.jformer.mixer;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

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
 * block asks for, or fewer if votes have settled: attention of early blocks needs more.
 *
 * <p>Settled here, as the paper's code is not public: the first token, where it stands for the
 * class, begins with √T times the importance of the others; variances are those of T s, whose mean
 * is 1; where no head is within the bounds, all count; keys of all heads side by side are compared;
 * votes have settled when no token's share of T changes by {@value #SETTLED}; padding has no votes
 * and gets none, and a sequence's length is its own.
 *
 * <p>Votes are counted in plain loops: a head's matrix fits a core's nearest cache, where thirty
 * rounds take less time than to call a product of the engine for each.
 *
 * @param rounds of votes at most in the first third of the blocks, the second and the last
 * @param low the smallest variance of a head that counts
 * @param high the largest
 * @param similar share of the tokens that leave, which do so because they are like others
 */
@AutoService(Thinning.class)
public record ZeroTprune(List<Integer> rounds, double low, double high, double similar)
    implements Thinning {
  private static final float SETTLED = 1e-3f;

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
  public Sight sight() {
    return Sight.ALL;
  }

  @Override
  public Verdict judge(Scene scene) {
    int batch = (int) scene.attention().size(0);
    int length = (int) scene.length();
    float[] attention = scene.attention().toFloats();
    float[] products = similar > 0 ? products(scene.key()).toFloats() : null;
    double[] present = scene.keep() == null ? null : scene.present().toDoubles();
    float[] scores = new float[batch * length];
    Arrays.fill(scores, -1);
    for (int b = 0; b < batch; b++) {
      int start = b * length;
      int[] tokens =
          IntStream.range(0, length)
              .filter(t -> present == null || present[start + t] > 0)
              .toArray();
      Graph graph = new Graph(attention, products, b, (int) scene.attention().size(1), length);
      judge(scene, graph, tokens, scores, start);
    }
    return new Verdict(Tensor.of(scores, batch, length), null);
  }

  /** Products of the keys of all heads side by side, [B, T, T]; their squares on the diagonal. */
  private static Tensor products(Tensor key) {
    Tensor keys = key.transpose(1, 2).flatten(2, 3);
    return keys.matmul(keys.t());
  }

  /** One sequence of a batch. */
  private static final class Graph {
    private final float[] attention;
    private final float[] products;
    private final int sequence;
    private final int heads;
    private final int length;

    Graph(float[] attention, float[] products, int sequence, int heads, int length) {
      this.attention = attention;
      this.products = products;
      this.sequence = sequence;
      this.heads = heads;
      this.length = length;
    }

    int row(int head, int token) {
      return ((sequence * heads + head) * length + token) * length;
    }

    /** The place of the product of a token's key with that of the first. */
    int products(int token) {
      return (sequence * length + token) * length;
    }

    /** One over the length of a token's key. */
    float inverse(int token) {
      return (float) (1 / Math.sqrt(Math.max(products[products(token) + token], 1e-24f)));
    }
  }

  private void judge(Scene scene, Graph graph, int[] tokens, float[] scores, int start) {
    int leaving = tokens.length - scene.staying(tokens.length);
    int alike = (int) Math.floor(similar * leaving + 1e-6);
    int[] left = tokens;
    if (alike > 0) {
      float[] early = importance(graph, tokens, scene.first(), 1);
      left = withoutAlike(graph, tokens, early, scene.first(), alike);
    }
    int third = Math.min(2, 3 * scene.layer() / scene.layers());
    float[] importance = importance(graph, left, scene.first(), rounds.get(third));
    for (int token : left) {
      scores[start + token] = importance[token];
    }
  }

  /** The importance of some tokens, of which the others know nothing, at their places. */
  private float[] importance(Graph graph, int[] tokens, boolean first, int times) {
    int count = tokens.length;
    float[] counting = new float[graph.length];
    float[] every = new float[graph.length];
    int number = 0;
    for (int head = 0; head < graph.heads; head++) {
      float[] votes = votes(graph, head, tokens, first, times);
      double variance = 0;
      for (int token : tokens) {
        variance += (count * votes[token] - 1.0) * (count * votes[token] - 1.0) / count;
      }
      boolean counts = variance >= low && variance <= high;
      number += counts ? 1 : 0;
      for (int i = 0; i < graph.length; i++) {
        every[i] += votes[i] * votes[i];
        counting[i] += counts ? votes[i] * votes[i] : 0;
      }
    }
    float[] squares = number == 0 ? every : counting;
    double heads = number == 0 ? graph.heads : number;
    for (int i = 0; i < graph.length; i++) {
      squares[i] = (float) Math.sqrt(squares[i] / heads);
    }
    return squares;
  }

  /** Shares of the votes of a head, at the places of their tokens, whose sum is 1. */
  private static float[] votes(Graph graph, int head, int[] tokens, boolean first, int times) {
    int length = graph.length;
    float[] present = new float[length];
    for (int token : tokens) {
      present[token] = 1;
    }
    float[] s = present.clone();
    if (first && tokens.length > 0 && tokens[0] == 0) {
      s[0] = (float) Math.sqrt(tokens.length);
    }
    normalize(s);
    float[] next = new float[length];
    float[] attention = graph.attention;
    for (int round = 0; round < times; round++) {
      Arrays.fill(next, 0);
      for (int voter : tokens) {
        float weight = s[voter];
        int row = graph.row(head, voter);
        for (int i = 0; i < length; i++) {
          next[i] += weight * attention[row + i];
        }
      }
      for (int i = 0; i < length; i++) {
        next[i] *= present[i];
      }
      normalize(next);
      float change = 0;
      for (int i = 0; i < length; i++) {
        change = Math.max(change, Math.abs(next[i] - s[i]));
      }
      float[] before = s;
      s = next;
      next = before;
      if (change * tokens.length < SETTLED) {
        break;
      }
    }
    return s;
  }

  private static void normalize(float[] s) {
    float sum = 0;
    for (float v : s) {
      sum += v;
    }
    float factor = 1 / Math.max(sum, Float.MIN_NORMAL);
    for (int i = 0; i < s.length; i++) {
      s[i] *= factor;
    }
  }

  /** All but those of the less important half that are most like one of the other half. */
  private static int[] withoutAlike(
      Graph graph, int[] tokens, float[] importance, boolean first, int alike) {
    float[] own = new float[tokens.length];
    for (int i = 0; i < own.length; i++) {
      own[i] = importance[tokens[i]];
    }
    int[] order = descending(own, first && tokens[0] == 0);
    int half = tokens.length / 2;
    int[] better = new int[half];
    float[] inverse = new float[half];
    for (int j = 0; j < half; j++) {
      better[j] = tokens[order[j]];
      inverse[j] = graph.inverse(better[j]);
    }
    float[] best = new float[tokens.length - half];
    for (int i = half; i < tokens.length; i++) {
      int row = graph.products(tokens[order[i]]);
      float highest = Float.NEGATIVE_INFINITY;
      for (int j = 0; j < half; j++) {
        highest = Math.max(highest, graph.products[row + better[j]] * inverse[j]);
      }
      best[i - half] = highest * graph.inverse(tokens[order[i]]);
    }
    int[] closest = descending(best, false);
    boolean[] leaves = new boolean[tokens.length];
    for (int i = 0; i < Math.min(alike, closest.length); i++) {
      leaves[order[half + closest[i]]] = true;
    }
    return IntStream.range(0, tokens.length).filter(i -> !leaves[i]).map(i -> tokens[i]).toArray();
  }

  /** Places in the order of values, the largest first; the first of all if it has its own way. */
  private static int[] descending(float[] values, boolean first) {
    long[] keys = new long[values.length];
    for (int i = 0; i < keys.length; i++) {
      float value = first && i == 0 ? Float.MAX_VALUE : values[i];
      int bits = Float.floatToIntBits(value);
      int ordered = bits ^ (bits >> 31 & Integer.MAX_VALUE); // as integers, in the order of floats
      keys[i] = (long) ~ordered << 32 | i;
    }
    Arrays.sort(keys);
    return Arrays.stream(keys).mapToInt(key -> (int) key).toArray();
  }
}
