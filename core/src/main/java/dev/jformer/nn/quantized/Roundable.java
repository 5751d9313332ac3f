package dev.jformer.nn.quantized;

import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Module;
import dev.jformer.nn.Projection;
import dev.jformer.nn.TokenEmbedding;

/**
 * A projection whose layers hold fewer numbers than plain ones, as floats, or the same numbers
 * rounded to 8 bits, which cannot be trained; then the table of words has 8 bits too.
 */
public interface Roundable extends Projection {
  /** A layer that such a projection builds. */
  interface Rounded {
    /**
     * Takes over what another layer of the same projection holds, which has 32 bits.
     *
     * @throws IllegalArgumentException if a number is not finite
     */
    void fill(Module other);
  }

  /** Of a number, 32 or 8. */
  int bits();

  /** The same with numbers of so many bits. */
  Roundable withBits(int other);

  /** Refuses other numbers of bits. */
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
