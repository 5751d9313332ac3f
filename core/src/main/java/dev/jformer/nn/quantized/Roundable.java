package dev.jformer.nn.quantized;

import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Module;
import dev.jformer.nn.Projection;
import dev.jformer.nn.TokenEmbedding;

/**
 * A projection whose layers store fewer numbers than plain ones, either as floats or rounded to 8
 * bits; with 8 bits they cannot be trained, and the token embedding has 8 bits too.
 */
public interface Roundable extends Projection {
  /** A layer that such a projection builds. */
  interface Rounded {
    /**
     * Copies the numbers of another layer of the same projection, which has 32 bits.
     *
     * @throws IllegalArgumentException if a number is not finite
     */
    void fill(Module other);
  }

  /** The number of bits of a number, 32 or 8. */
  int bits();

  /** This projection with another number of bits. */
  Roundable withBits(int other);

  /** Checks that the number of bits is 32 or 8. */
  static void checkBits(int bits) {
    if (bits != 32 && bits != 8) {
      throw new IllegalArgumentException("bits is " + bits + ": expected 32 or 8");
    }
  }

  @Override
  default boolean trains() {
    return bits() == 32;
  }

  @Override
  default TokenEmbedding table(long count, long width, Initializer initializer) {
    return bits() == 8
        ? new WeightInt8Linear.Config().table(count, width, initializer)
        : Projection.super.table(count, width, initializer);
  }

  @Override
  default Layer output(long in, long out, Initializer initializer) {
    return bits() == 8
        ? new WeightInt8Linear.Config().output(in, out, initializer)
        : Projection.super.output(in, out, initializer);
  }
}
