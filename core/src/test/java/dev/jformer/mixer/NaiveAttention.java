package dev.jformer.mixer;

import dev.jformer.testing.Loops;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Weights;

/** Softmax attention as in arXiv 1706.03762, one query, head and key at a time. */
public record NaiveAttention(
    int heads, int groups, boolean causal, Rotation rotation, Bias bias, String prefix)
    implements Naive {

  /** What is done to a query or key at a position. */
  @FunctionalInterface
  public interface Rotation {
    /** The rotated head vector. */
    double[] apply(double[] head, int position);
  }

  /** What is added to a logit. */
  @FunctionalInterface
  public interface Bias {
    /** The summand for a head, a query's position and a key's. */
    double of(int head, int query, int key);
  }

  /** Without positions. */
  public NaiveAttention(int heads, int groups, boolean causal) {
    this(heads, groups, causal, (head, position) -> head, (head, query, key) -> 0, "");
  }

  /** With queries and keys rotated. */
  public NaiveAttention with(Rotation other) {
    return new NaiveAttention(heads, groups, causal, other, bias, prefix);
  }

  /** With biases on the logits. */
  public NaiveAttention with(Bias other) {
    return new NaiveAttention(heads, groups, causal, rotation, other, prefix);
  }

  /** With its weights under another name. */
  public NaiveAttention at(String otherPrefix) {
    return new NaiveAttention(heads, groups, causal, rotation, bias, otherPrefix);
  }

  /** Rotary positions: channels i and i + d/2 turn by p / base^(2i/d) (arXiv 2104.09864). */
  public static Rotation rope(double base) {
    return (head, position) -> {
      int half = head.length / 2;
      double[] rotated = new double[head.length];
      for (int i = 0; i < half; i++) {
        double angle = position / Math.pow(base, 2.0 * i / head.length);
        // Tables hold float32.
        double cosine = (float) Math.cos(angle);
        double sine = (float) Math.sin(angle);
        rotated[i] = head[i] * cosine - head[i + half] * sine;
        rotated[i + half] = head[i + half] * cosine + head[i] * sine;
      }
      return rotated;
    };
  }

  /** Linear biases with slopes 2^(-8/H), 2^(-16/H), … (arXiv 2108.12409). */
  public static Bias alibi(int heads) {
    return (head, query, key) -> -Math.pow(2, -8.0 * (head + 1) / heads) * Math.abs(query - key);
  }

  /**
   * T5's biases (arXiv 1910.10683): buckets of one distance each, then geometrically growing ones.
   *
   * @param table [buckets][H]
   */
  public static Bias t5(double[][] table, int maxDistance, boolean causal) {
    return (head, query, key) -> {
      if (causal) {
        return table[bucket(Math.max(0, query - key), table.length, maxDistance)][head];
      }
      int half = table.length / 2;
      int ahead = key > query ? half : 0;
      return table[ahead + bucket(Math.abs(query - key), half, maxDistance)][head];
    };
  }

  private static int bucket(int distance, int count, int maxDistance) {
    int exact = count / 2;
    if (distance < exact) {
      return distance;
    }
    double share = Math.log((double) distance / exact) / Math.log((double) maxDistance / exact);
    return Math.min(count - 1, (int) (exact + share * (count - exact)));
  }

  @Override
  public double[][] forward(double[][] x, Weights weights) {
    return mix(Loops.linear(x, weights, prefix + "qkv"), weights);
  }

  /** What comes of queries, keys and values side by side. */
  public double[][] mix(double[][] qkv, Weights weights) {
    int length = qkv.length;
    int d = qkv[0].length / (heads + 2 * groups);
    int width = heads * d;
    double[][] mixed = new double[length][width];
    for (int h = 0; h < heads; h++) {
      int group = h / (heads / groups);
      double[][] queries = Loops.columns(qkv, h * d, (h + 1) * d);
      double[][] keys = Loops.columns(qkv, (heads + group) * d, (heads + group + 1) * d);
      int values = (heads + groups + group) * d;
      for (int t = 0; t < length; t++) {
        double[] query = rotation.apply(queries[t], t);
        double[] logits = new double[length];
        for (int s = 0; s < length; s++) {
          double[] key = rotation.apply(keys[s], s);
          for (int i = 0; i < d; i++) {
            logits[s] += query[i] * key[i] / Math.sqrt(d);
          }
          logits[s] += bias.of(h, t, s);
          if (causal && s > t) {
            logits[s] = Double.NEGATIVE_INFINITY;
          }
        }
        double[] p = Loops.softmax(logits);
        for (int s = 0; s < length; s++) {
          for (int i = 0; i < d; i++) {
            mixed[t][h * d + i] += p[s] * qkv[s][values + i];
          }
        }
      }
    }
    return Loops.linear(mixed, weights, prefix + "out");
  }
}
