package dev.jformer.io.gguf;

import dev.jformer.io.FormatException;
import dev.jformer.tensor.Shape;

/**
 * A tensor in the directory of a GGUF file.
 *
 * @param shape the sizes of its dimensions, the last one the innermost, as everywhere in this
 *     library; files list them in the opposite order
 * @param begin where its bytes begin, counted from the first tensor
 * @param bytes their number
 */
public record GgufTensor(String name, GgufType type, Shape shape, long begin, long bytes) {
  private static final int MOST_DIMENSIONS = 4;

  /** The fewest bytes that an entry of the directory takes: no name and no dimension. */
  static final int FEWEST_BYTES = 8 + 4 + 4 + 8;

  static GgufTensor read(HeaderCursor in, int number) {
    String name = in.string("the name of tensor " + number);
    String what = "tensor " + FormatException.quote(name);
    int rank = in.int32(what);
    if (rank < 1 || rank > MOST_DIMENSIONS) {
      throw new FormatException(
          what
              + " has "
              + Integer.toUnsignedString(rank)
              + " dimensions: expected 1 to "
              + MOST_DIMENSIONS);
    }
    long[] sizes = new long[rank];
    long elements = 1;
    for (int i = rank - 1; i >= 0; i--) {
      sizes[i] = in.int64(what);
      if (sizes[i] < 1 || sizes[i] > Long.MAX_VALUE / 8 / elements) {
        throw new FormatException(
            what
                + " has a dimension of "
                + Long.toUnsignedString(sizes[i])
                + ": expected at least 1, and fewer than 2^60 elements in all");
      }
      elements *= sizes[i];
    }
    GgufType type = type(in.int32(what), what);
    if (sizes[rank - 1] % type.blockValues() != 0) {
      throw new FormatException(
          what
              + " has rows of "
              + sizes[rank - 1]
              + " values: expected a multiple of "
              + type.blockValues()
              + ", the block of "
              + type);
    }
    long bytes = elements / type.blockValues() * type.blockBytes();
    return new GgufTensor(name, type, Shape.of(sizes), in.int64(what), bytes);
  }

  private static GgufType type(int id, String what) {
    try {
      return GgufType.of(id);
    } catch (FormatException e) {
      throw new FormatException(what + " is of " + e.getMessage(), e);
    }
  }
}
