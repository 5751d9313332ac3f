package dev.jformer.model.sequence;

import dev.jformer.config.Checks;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * The shape of {@link LmuFormer} and of its spiking version.
 *
 * @param width D
 * @param layers number of blocks
 * @param convolutions of the embedding, without that of positions
 * @param expand hidden width of the channel mixer as a multiple of D
 * @param order d, the numbers that a memory holds; 0 for the width, or twice the width with spikes
 * @param window θ, the frames that a memory looks back; 0 for the length of a sequence
 */
@RecordBuilder
public record LmuShape(
    int width, int layers, int convolutions, double expand, int order, double window)
    implements LmuShapeBuilder.With {
  /** Defaults: one block of width 64 after four convolutions. */
  public LmuShape() {
    this(64, 1, 4, 4, 0, 0);
  }

  /** Checks the values. */
  public LmuShape {
    Checks.atLeast("width", width, 1);
    Checks.between("layers", layers, 1, 1000);
    Checks.between("convolutions", convolutions, 1, 1000);
    Checks.moreThan("expand", expand, 0);
    Checks.check(
        expand * width <= Integer.MAX_VALUE, "expand", expand, "less for the width " + width);
    Checks.atLeast("order", order, 0);
    Checks.atLeast("window", window, 0);
  }

  /** The hidden width of the channel mixer. */
  int hidden() {
    return (int) Math.max(1, Math.round(expand * width));
  }

  /** The numbers that a memory holds, if those of the width are so many times as many. */
  int order(int times) {
    return order == 0 ? times * width : order;
  }

  /** The frames that a memory looks back. */
  double window(int length) {
    return window == 0 ? length : window;
  }

  /** The products of all memories' matrices, for a frame. */
  long products(int times) {
    long d = order(times);
    return layers * d * (d + 1);
  }
}
