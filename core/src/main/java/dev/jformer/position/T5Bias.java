package dev.jformer.position;

import com.google.auto.service.AutoService;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/**
 * The relative biases of T5 (<a href="https://arxiv.org/abs/1910.10683">Exploring the Limits of
 * Transfer Learning with a Unified Text-to-Text Transformer</a>): a learned number for each head
 * and each bucket of distances, added to the attention logits. Of a direction's n buckets, half
 * hold one distance each; the others grow geometrically up to {@code maxDistance}, and the last
 * holds all larger distances. Causal models use all buckets for tokens behind; others use half of
 * them for each direction.
 *
 * <p>The table is shared by all layers, as in T5. T5 omits the factor 1/√d on the logits that the
 * biases are added to; our attention keeps it. Because gradients flow to the biases, training
 * stores the matrix of logits, which the fused kernel otherwise avoids.
 */
public final class T5Bias extends Position {
  /**
   * Configuration.
   *
   * @param buckets even, at least 4
   * @param maxDistance the distance in tokens from which on all distances share the last bucket;
   *     more than half the buckets
   */
  @AutoService(Position.Config.class)
  public record Config(int buckets, int maxDistance) implements Position.Config {
    /** Defaults, as in T5. */
    public Config() {
      this(32, 128);
    }

    /** Checks the values. */
    public Config {
      if (buckets < 4 || buckets % 2 != 0) {
        throw new IllegalArgumentException(
            "buckets is " + buckets + ": expected an even number, at least 4");
      }
      if (maxDistance <= buckets / 2) {
        throw new IllegalArgumentException(
            "maxDistance is "
                + maxDistance
                + ": expected more than half of the "
                + buckets
                + " buckets, because half of them hold one distance each");
      }
    }

    @Override
    public String type() {
      return "t5";
    }

    @Override
    public Position build(int width, int heads, int headDim, int length) {
      return new T5Bias(this, width, heads);
    }
  }

  private final Config config;
  private final Parameter weight;

  /** Creates a table with a standard deviation of 1/√width, as in T5. */
  T5Bias(Config config, int width, int heads) {
    this.config = config;
    Initializer normal = Initializer.normal(1 / Math.sqrt(width));
    this.weight = parameter("weight", normal.create(config.buckets(), heads));
  }

  @Override
  public Tensor bias(long start, long queries, long keys, boolean causal) {
    Tensor buckets = buckets(Toeplitz.distances(start, queries, keys), causal);
    Tensor values = weight.value().indexSelect(0, buckets).t();
    return Toeplitz.matrix(values, queries, keys);
  }

  /**
   * The buckets of distances [n] from query to key, negative for keys behind: int64 [n]. In a
   * causal model keys ahead get the bucket of distance 0.
   */
  Tensor buckets(Tensor distances, boolean causal) {
    if (causal) {
      return buckets(distances.neg(), config.buckets());
    }
    int half = config.buckets() / 2;
    Tensor ahead = distances.gt(0).to(DType.INT64).mul((long) half);
    return buckets(distances.abs(), half).add(ahead);
  }

  /** Buckets 0 … count - 1 of distances in one direction; 0 for negative ones. */
  private Tensor buckets(Tensor distances, int count) {
    int exact = count / 2;
    Tensor far = distances.to(DType.FLOAT32).clamp(exact, Double.POSITIVE_INFINITY);
    // In float32, operation by operation as in T5, because rounding matters at the buckets'
    // borders.
    Tensor share = far.div(exact).log().div(Math.log((double) config.maxDistance() / exact));
    Tensor geometric = share.mul((double) (count - exact)).to(DType.INT64).add((long) exact);
    Tensor last = Tensor.full(count - 1, DType.INT64, 1);
    Tensor near = distances.maximum(Tensor.full(0, DType.INT64, 1));
    return near.where(distances.lt((long) exact), geometric.minimum(last));
  }
}
