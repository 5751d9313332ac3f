package dev.jformer.construct;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * A decoder with saturated attention and projected pre-norm: the kind of Transformer that <a
 * href="https://arxiv.org/abs/2310.07923">The Expressive Power of Transformers with Chain of
 * Thought</a> reasons about.
 *
 * <p>Saturated (averaging hard) attention takes the mean of the values of those keys whose score is
 * the highest, with equal weights. Projected pre-norm: each sublayer reads {@code norm(M x)} with a
 * matrix M of its own, where norm subtracts the mean and divides by the standard deviation; a
 * vector whose numbers are all equal becomes 0. A token sees those before it and itself.
 *
 * <p>Of a vector {@code (x, y, -x, -y)} the norm depends on x / y only. This is the paper's
 * layer-norm hash: from means over a prefix, such as 7/p and 1/p, it makes a vector that tells 7
 * whatever p is, so that places can be compared by a product.
 */
public final class SaturatedDecoder {
  private final double[][] embedding;
  private final List<Sublayer> sublayers;
  private final double[][] output;
  private final Precision precision;

  /** A part of the decoder whose result is added to the stream. */
  public sealed interface Sublayer {}

  /**
   * Attention.
   *
   * @param heads all read the same stream
   */
  public record Attention(List<Head> heads) implements Sublayer {}

  /**
   * A head. Its scores are the products of queries and keys.
   *
   * @param query [m, D], a projection that is normalised
   * @param key [m, D], as well
   * @param value [n, D], as well
   * @param out [D, n], of the mean of values
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Head(double[][] query, double[][] key, double[][] value, double[][] out) {}

  /**
   * A perceptron with rectified units.
   *
   * @param in [m, D], a projection that is normalised
   * @param units [h, m]
   * @param bias [h]
   * @param out [D, h]
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record FeedForward(double[][] in, double[][] units, double[] bias, double[][] out)
      implements Sublayer {}

  /** Creates a decoder in double precision, with the weights of the other constructor. */
  public SaturatedDecoder(double[][] embedding, List<Sublayer> sublayers, double[][] output) {
    this(embedding, sublayers, output, Precision.DOUBLE);
  }

  /**
   * Creates a decoder.
   *
   * @param embedding [V, D], the vector of each token
   * @param sublayers first to last
   * @param output [V, D], whose products with the stream are the logits
   * @param precision of all sums, products and quotients
   */
  public SaturatedDecoder(
      double[][] embedding, List<Sublayer> sublayers, double[][] output, Precision precision) {
    this.precision = precision;
    this.embedding = embedding;
    this.sublayers = List.copyOf(sublayers);
    this.output = output;
  }

  /** The number of weights. */
  public long weights() {
    long count = size(embedding) + size(output);
    for (Sublayer sublayer : sublayers) {
      if (sublayer instanceof Attention attention) {
        for (Head head : attention.heads()) {
          count += size(head.query()) + size(head.key()) + size(head.value()) + size(head.out());
        }
      } else if (sublayer instanceof FeedForward layer) {
        count += size(layer.in()) + size(layer.units()) + layer.bias().length + size(layer.out());
      }
    }
    return count;
  }

  private static long size(double[][] matrix) {
    return (long) matrix.length * matrix[0].length;
  }

  /**
   * Continues a prompt, always with the token of the highest logit.
   *
   * @param prompt tokens, at least one
   * @param ends whether a token is the last one
   * @param most the most tokens to generate
   * @return the tokens after the prompt
   * @throws IllegalArgumentException if a token is unknown or the prompt is empty
   */
  public int[] generate(int[] prompt, IntPredicate ends, int most) {
    if (prompt.length == 0) {
      throw new IllegalArgumentException("the prompt is empty: expected at least one token");
    }
    Decoding decoding = new Decoding();
    int next = -1;
    for (int token : prompt) {
      next = decoding.next(token);
    }
    int[] generated = new int[most];
    for (int i = 0; i < most; i++) {
      generated[i] = next;
      if (ends.test(next)) {
        return Arrays.copyOf(generated, i + 1);
      }
      next = i + 1 < most ? decoding.next(next) : next;
    }
    return generated;
  }

  /** A sequence being decoded: keys and values of all heads so far. */
  private final class Decoding {
    private final List<List<double[]>> keys = new ArrayList<>();
    private final List<List<double[]>> values = new ArrayList<>();

    /** Reads a token, and gives the one with the highest logit after it. */
    int next(int token) {
      if (token < 0 || token >= embedding.length) {
        throw new IllegalArgumentException(
            "the token " + token + " is unknown: expected 0 to " + (embedding.length - 1));
      }
      double[] x = embedding[token].clone();
      int head = 0;
      for (Sublayer sublayer : sublayers) {
        if (sublayer instanceof Attention attention) {
          double[] sum = new double[x.length];
          for (Head each : attention.heads()) {
            attend(each, head++, x, sum);
          }
          add(x, sum);
        } else if (sublayer instanceof FeedForward layer) {
          double[] hidden = times(layer.units(), normalised(times(layer.in(), x)));
          for (int i = 0; i < hidden.length; i++) {
            hidden[i] = Math.max(0, precision.of(hidden[i] + layer.bias()[i]));
          }
          add(x, times(layer.out(), hidden));
        }
      }
      double[] logits = times(output, x);
      int best = 0;
      for (int i = 1; i < logits.length; i++) {
        best = logits[i] > logits[best] ? i : best;
      }
      return best;
    }

    private void attend(Head head, int number, double[] x, double[] sum) {
      if (keys.size() == number) {
        keys.add(new ArrayList<>());
        values.add(new ArrayList<>());
      }
      List<double[]> ownKeys = keys.get(number);
      List<double[]> ownValues = values.get(number);
      ownKeys.add(normalised(times(head.key(), x)));
      ownValues.add(normalised(times(head.value(), x)));
      double[] query = normalised(times(head.query(), x));
      double highest = Double.NEGATIVE_INFINITY;
      int count = 0;
      double[] mean = new double[head.value().length];
      for (int i = 0; i < ownKeys.size(); i++) {
        double score = product(query, ownKeys.get(i));
        if (score > highest) {
          highest = score;
          count = 0;
          Arrays.fill(mean, 0);
        }
        if (score == highest) {
          count++;
          add(mean, ownValues.get(i));
        }
      }
      for (int i = 0; i < mean.length; i++) {
        mean[i] = precision.of(mean[i] / count);
      }
      add(sum, times(head.out(), mean));
    }
  }

  private double[] normalised(double[] v) {
    double mean = 0;
    for (double each : v) {
      mean = precision.of(mean + each);
    }
    mean = precision.of(mean / v.length);
    double[] centred = new double[v.length];
    double square = 0;
    for (int i = 0; i < v.length; i++) {
      centred[i] = precision.of(v[i] - mean);
      square = precision.of(square + precision.of(centred[i] * centred[i]));
    }
    double deviation = precision.of(Math.sqrt(precision.of(square / v.length)));
    double[] result = new double[v.length];
    for (int i = 0; i < v.length && deviation > 0; i++) {
      result[i] = precision.of(centred[i] / deviation);
    }
    return result;
  }

  private double product(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum = precision.of(sum + precision.of(precision.of(a[i]) * precision.of(b[i])));
    }
    return sum;
  }

  private double[] times(double[][] matrix, double[] v) {
    double[] result = new double[matrix.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = product(matrix[i], v);
    }
    return result;
  }

  private void add(double[] to, double[] more) {
    for (int i = 0; i < to.length; i++) {
      to[i] = precision.of(to[i] + more[i]);
    }
  }
}
