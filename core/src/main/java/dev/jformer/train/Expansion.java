package dev.jformer.train;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * A weight of a learngene: {@code θ_B + t θ_A} is that of a block at t, the number of blocks before
 * it divided by the number of all.
 *
 * @param base θ_B
 * @param slope θ_A
 */
public record Expansion(Tensor base, Tensor slope) {
  /** How far a weight may be off the line, as a share of the largest: some rounding errors. */
  private static final double TOLERANCE = 1e-5;

  /**
   * Returns the line through the first and the last block.
   *
   * @return in the weights' type; the slope is zero if there is one block only
   */
  public static Expansion of(DepthLines.Line line) {
    List<Tensor> values = values(line);
    Tensor first = values.get(0);
    Expansion exact = through(values, line);
    DType type = line.weights().get(0).value().dtype();
    return new Expansion(first.to(type), exact.slope.to(type));
  }

  private static List<Tensor> values(DepthLines.Line line) {
    return line.weights().stream().map(p -> p.value().detach().to(DType.FLOAT64)).toList();
  }

  private static Expansion through(List<Tensor> values, DepthLines.Line line) {
    Tensor first = values.get(0);
    int last = values.size() - 1;
    Tensor slope = last == 0 ? first.mul(0) : values.get(last).sub(first).div(line.at(last));
    return new Expansion(first, slope);
  }

  /** Whether the weights of all blocks are on a line, up to rounding; with one block none is. */
  public static boolean isLinear(DepthLines.Line line) {
    List<Tensor> values = values(line);
    if (values.size() < 2) {
      return false;
    }
    Expansion exact = through(values, line);
    for (int block = 1; block < values.size() - 1; block++) {
      Tensor off = values.get(block).sub(exact.at(line.at(block)));
      double largest = values.get(block).abs().max().item();
      if (!(off.abs().max().item() <= TOLERANCE * Math.max(largest, TOLERANCE))) {
        return false;
      }
    }
    return true;
  }

  /** The weight of a block at t. */
  public Tensor at(double t) {
    return base.add(slope, t);
  }
}
