package dev.jformer.mixer.reduction;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Ranks tokens by the graph of attention, without any training, as in <a
 * href="https://arxiv.org/abs/2305.17328">Zero-TPrune: Zero-Shot Token Pruning through Leveraging
 * of the Attention Graph in Pre-Trained Transformers</a>. Its I'-S-I pattern:
 *
 * <p>I': each head's importance of tokens is computed by one round of weighted page rank, {@code s
 * ← Aᵀ s}, in which each token votes by its attention, weighted by its own importance. Heads are
 * combined by the root mean square, which emphasises regions that few heads find informative; heads
 * whose importance varies too little or too much over the tokens are ignored.
 *
 * <p>S: the less important half of the tokens is matched with the more important half by the cosine
 * of their keys, and those of the former that are most similar to one of the latter are dropped.
 *
 * <p>I: of the rest, the most important tokens stay, after a number of rounds that depends on the
 * depth of the block (early blocks need more), or fewer if the votes have converged.
 *
 * <p>These details are our choice, as the paper's code is not public: a class token starts with √T
 * times the importance of the others; variances are those of T s, whose mean is 1; if no head is
 * within the bounds, all count; the keys of all heads are compared together; votes have converged
 * when no token's share of T changes by {@value #SETTLED}; padding neither votes nor gets votes,
 * and T is the length without padding.
 *
 * <p>Votes are counted in Java loops: a head's matrix fits a core's first-level cache, where thirty
 * rounds take less time than one call of libtorch for each.
 *
 * @param rounds the most rounds of votes in the first, second and last third of the blocks
 * @param low the smallest variance of a head that counts
 * @param high the largest variance of a head that counts
 * @param similar share of the leaving tokens that leave by similarity
 */
@AutoService(TokenReducer.class)
public record ZeroTprune(List<Integer> rounds, double low, double high, double similar)
    implements TokenReducer {
  private static final float SETTLED = 1e-3f;

  /** Defaults: the paper's bounds; 30, 5 and 1 rounds; a third leaves by similarity. */
  public ZeroTprune() {
    this(List.of(30, 5, 1), 0.01, 0.7, 1.0 / 3);
  }

  /** Checks the values. */
  public ZeroTprune {
    if (rounds.size() != 3 || rounds.stream().anyMatch(r -> r < 1)) {
      throw new IllegalArgumentException(
          "rounds is " + rounds + ": expected three numbers, of at least 1");
    }
    if (!(low >= 0 && low <= high && Double.isFinite(high)) || !(similar >= 0 && similar <= 1)) {
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
  public AttentionRows attentionRows() {
    return AttentionRows.ALL;
  }

  @Override
  public Reduction reduce(ReductionInput input) {
    int batch = (int) input.attention().size(0);
    int length = (int) input.length();
    float[] attention = input.attention().toFloats();
    Graph[] graphs = new Graph[batch];
    for (int b = 0; b < batch; b++) {
      graphs[b] = new Graph(attention, b, (int) input.attention().size(1), length);
    }
    int[][] left = tokens(input, batch, length);
    if (similar > 0) {
      left = withoutSimilar(input, graphs, left);
    }
    float[] scores = new float[batch * length];
    Arrays.fill(scores, -1);
    int third = Math.min(2, 3 * input.layer() / input.layers());
    for (int b = 0; b < batch; b++) {
      float[] importance = importance(graphs[b], left[b], input.first(), rounds.get(third));
      for (int token : left[b]) {
        scores[b * length + token] = importance[token];
      }
    }
    return new Reduction(Tensor.of(scores, batch, length), null);
  }

  /** The tokens of each sequence without padding. */
  private static int[][] tokens(ReductionInput input, int batch, int length) {
    double[] present = input.paddingMask() == null ? null : input.present().toDoubles();
    int[] all = IntStream.range(0, length).toArray();
    int[][] tokens = new int[batch][];
    for (int b = 0; b < batch; b++) {
      int start = b * length;
      tokens[b] =
          present == null ? all : Arrays.stream(all).filter(t -> present[start + t] > 0).toArray();
    }
    return tokens;
  }

  /** The attention of one sequence of a batch. */
  private static final class Graph {
    private final float[] attention;
    private final int sequence;
    private final int heads;
    private final int length;

    Graph(float[] attention, int sequence, int heads, int length) {
      this.attention = attention;
      this.sequence = sequence;
      this.heads = heads;
      this.length = length;
    }

    int row(int head, int token) {
      return ((sequence * heads + head) * length + token) * length;
    }
  }

  /** The importance of some tokens, by votes among themselves, at their indices. */
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

  /** The shares of a head's votes, at the tokens' indices; they sum to 1. */
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
    for (int round = 0; round < times; round++) {
      Arrays.fill(next, 0);
      count(graph, head, tokens, s, next);
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

  /** Adds the votes of some tokens, four at a time, because rows are short. */
  private static void count(Graph graph, int head, int[] voters, float[] s, float[] next) {
    float[] attention = graph.attention;
    int voter = 0;
    for (; voter + 4 <= voters.length; voter += 4) {
      int a = graph.row(head, voters[voter]);
      int b = graph.row(head, voters[voter + 1]);
      int c = graph.row(head, voters[voter + 2]);
      int d = graph.row(head, voters[voter + 3]);
      float ofA = s[voters[voter]];
      float ofB = s[voters[voter + 1]];
      float ofC = s[voters[voter + 2]];
      float ofD = s[voters[voter + 3]];
      for (int i = 0; i < next.length; i++) {
        next[i] +=
            ofA * attention[a + i]
                + ofB * attention[b + i]
                + ofC * attention[c + i]
                + ofD * attention[d + i];
      }
    }
    for (; voter < voters.length; voter++) {
      int row = graph.row(head, voters[voter]);
      float weight = s[voters[voter]];
      for (int i = 0; i < next.length; i++) {
        next[i] += weight * attention[row + i];
      }
    }
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

  /** Drops those of the less important half that are most similar to one of the other half. */
  private int[][] withoutSimilar(ReductionInput input, Graph[] graphs, int[][] tokens) {
    int[][] order = new int[tokens.length][];
    int most = 0;
    for (int b = 0; b < tokens.length; b++) {
      float[] importance = importance(graphs[b], tokens[b], input.first(), 1);
      order[b] = ordered(tokens[b], importance, input.first());
      most = Math.max(most, order[b].length);
    }
    if (most < 2) {
      return tokens;
    }
    int rest = most - most / 2; // halves of shorter sequences are not longer
    float[] similarity = similarity(input, order, most / 2, rest).toFloats();
    int[][] left = new int[tokens.length][];
    for (int b = 0; b < tokens.length; b++) {
      int half = order[b].length / 2;
      int leaving = tokens[b].length - input.kept(tokens[b].length);
      int alike = (int) Math.floor(similar * leaving + 1e-6);
      int[] closest =
          descending(
              Arrays.copyOfRange(similarity, b * rest, b * rest + order[b].length - half), false);
      boolean[] leaves = new boolean[graphs[b].length];
      for (int i = 0; i < Math.min(alike, closest.length); i++) {
        leaves[order[b][half + closest[i]]] = true;
      }
      left[b] = Arrays.stream(tokens[b]).filter(token -> !leaves[token]).toArray();
    }
    return left;
  }

  /**
   * The highest cosine similarity of each token of the less important half to one of the other
   * half, by the keys of all heads together: [B, rest].
   *
   * @param order tokens of each sequence, the most important first
   * @param half the most tokens of a more important half
   * @param rest the most tokens of a less important half
   */
  private static Tensor similarity(ReductionInput input, int[][] order, int half, int rest) {
    long[] better = new long[order.length * half];
    long[] others = new long[order.length * rest];
    for (int b = 0; b < order.length; b++) {
      int own = order[b].length / 2;
      // Shorter sequences are padded by repeating a token.
      for (int i = 0; i < half; i++) {
        better[b * half + i] = place(input, order[b], b, i < own ? i : 0);
      }
      for (int i = 0; i < rest; i++) {
        others[b * rest + i] = place(input, order[b], b, own + i < order[b].length ? own + i : 0);
      }
    }
    Tensor keys = input.key().transpose(1, 2).flatten(2, 3).flatten(0, 1);
    Tensor first = keys.indexSelect(0, Tensor.of(better, better.length));
    Tensor second = keys.indexSelect(0, Tensor.of(others, others.length));
    Tensor products = second.unflatten(0, -1, rest).matmul(first.unflatten(0, -1, half).t());
    Tensor scaled = products.mul(inverse(first).reshape(-1, 1, half));
    return scaled.max(2, false).mul(inverse(second).reshape(-1, rest));
  }

  private static int place(ReductionInput input, int[] order, int sequence, int i) {
    return Math.toIntExact(sequence * input.length() + (order.length == 0 ? 0 : order[i]));
  }

  /** The inverse length of each row. */
  private static Tensor inverse(Tensor rows) {
    return rows.square().sum(1, false).clamp(1e-24, Double.POSITIVE_INFINITY).rsqrt();
  }

  /** Tokens sorted by importance, the highest first; a class token comes before all others. */
  private static int[] ordered(int[] tokens, float[] importance, boolean first) {
    float[] own = new float[tokens.length];
    for (int i = 0; i < own.length; i++) {
      own[i] = importance[tokens[i]];
    }
    int[] order = descending(own, first && tokens.length > 0 && tokens[0] == 0);
    for (int i = 0; i < order.length; i++) {
      order[i] = tokens[order[i]];
    }
    return order;
  }

  /**
   * Indices sorted by value, the largest first; if {@code first}, index 0 comes before all others.
   */
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
