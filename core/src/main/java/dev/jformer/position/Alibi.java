package dev.jformer.position;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/**
 * Attention with linear biases (<a href="https://arxiv.org/abs/2108.12409">Train Short, Test Long:
 * Attention with Linear Biases Enables Input Length Extrapolation</a>): each head subtracts from
 * its logits the distance times a slope of its own. For a power of two of heads the slopes are
 * 2^(-8/H), 2^(-16/H), …; otherwise the remaining heads take every other slope of twice as many
 * heads, as the authors do. In bidirectional models the distance is the absolute one.
 */
public final class Alibi extends Position {
  /** Configuration. */
  @AutoService(Position.Config.class)
  public record Config() implements Position.Config {
    @Override
    public String type() {
      return "alibi";
    }

    @Override
    public Position build(int width, int heads, int headDim, int length) {
      return new Alibi(slopes(heads));
    }
  }

  private final double[] slopes;

  Alibi(double[] slopes) {
    this.slopes = slopes;
  }

  static double[] slopes(int heads) {
    int power = Integer.highestOneBit(heads);
    double[] slopes = new double[heads];
    for (int h = 0; h < power; h++) {
      slopes[h] = Math.pow(2, -8.0 * (h + 1) / power);
    }
    for (int h = power; h < heads; h++) {
      slopes[h] = Math.pow(2, -8.0 * (2 * (h - power) + 1) / (2 * power));
    }
    return slopes;
  }

  @Override
  public Tensor bias(long start, long queries, long keys, boolean causal) {
    Tensor q = Tensor.arange(start, start + queries).unsqueeze(1);
    Tensor k = Tensor.arange(0, keys).unsqueeze(0);
    Tensor distance = q.sub(k).abs().to(DType.FLOAT32);
    return distance.mul(Tensor.of(slopes, slopes.length, 1, 1).to(DType.FLOAT32).neg());
  }
}
