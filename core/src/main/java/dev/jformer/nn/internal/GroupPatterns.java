package dev.jformer.nn.internal;

import dev.jformer.nn.Parameter;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Positions of N:M sparsity: N of each M adjacent elements of a row are kept. A group has one of
 * C(M, N) patterns; its index, in the order of the patterns read as binary numbers, is stored in 1,
 * 2, 4 or 8 bits: 1 bit for each group for 1:2, 4 bits for 2:4, 8 bits for 4:8. Groups are stored
 * in order, earlier ones in the lower bits of a byte.
 */
public final class GroupPatterns implements NonzeroPositions {
  /** The largest size of a group. */
  public static final int WIDEST = 8;

  private final int keep;
  private final int of;
  private final int bits;
  private final long groups;
  private final int[][] patterns;
  private final int[] numbers;
  private final Parameter codes;

  /**
   * Creates positions of a matrix [rows, width], with the first pattern in each group.
   *
   * @throws IllegalArgumentException if rows do not consist of whole groups
   */
  public GroupPatterns(long rows, long width, int keep, int of) {
    if (width % of != 0) {
      throw new IllegalArgumentException(
          "rows of "
              + width
              + " values are not a multiple of "
              + of
              + ": "
              + keep
              + ":"
              + of
              + " sparsity needs whole groups");
    }
    this.keep = keep;
    this.of = of;
    this.groups = Math.multiplyExact(rows, width / of);
    List<int[]> found = new ArrayList<>();
    this.numbers = new int[1 << of];
    for (int set = 0; set < 1 << of; set++) {
      if (Integer.bitCount(set) == keep) {
        numbers[set] = found.size();
        found.add(places(set, keep));
      }
    }
    this.patterns = found.toArray(int[][]::new);
    this.bits = bits(patterns.length);
    long perByte = 8 / bits;
    this.codes = Parameter.buffer(Tensor.zeros(DType.UINT8, (groups + perByte - 1) / perByte));
  }

  private static int[] places(int set, int keep) {
    int[] places = new int[keep];
    int at = 0;
    for (int left = set; left != 0; left &= left - 1) {
      places[at++] = Integer.numberOfTrailingZeros(left);
    }
    return places;
  }

  /** The fewest bits of 1, 2, 4 and 8 that can index the patterns. */
  private static int bits(int patterns) {
    int bits = 1;
    while (1 << bits < patterns) {
      bits *= 2;
    }
    return bits;
  }

  @Override
  public String name() {
    return "patterns";
  }

  @Override
  public Parameter code() {
    return codes;
  }

  @Override
  public long elements() {
    return groups * of;
  }

  @Override
  public long count() {
    return groups * keep;
  }

  @Override
  public void set(Tensor mask) {
    byte[] flags = mask.to(DType.UINT8).toBytes();
    byte[] packed = new byte[Math.toIntExact(codes.value().elements())];
    int perByte = 8 / bits;
    for (int g = 0; g < groups; g++) {
      int set = 0;
      for (int i = 0; i < of; i++) {
        set |= flags[g * of + i] << i;
      }
      if (Integer.bitCount(set) != keep) {
        throw new IllegalArgumentException(
            "a mask keeps "
                + Integer.bitCount(set)
                + " of a group of "
                + of
                + ": "
                + keep
                + ":"
                + of
                + " sparsity keeps "
                + keep);
      }
      packed[g / perByte] |= (byte) (numbers[set] << (g % perByte * bits));
    }
    codes.copyFrom(Tensor.of(packed, packed.length).viewAs(DType.UINT8));
  }

  /**
   * The kept positions of a group.
   *
   * @throws IllegalStateException if there is no such pattern, because the file is damaged
   */
  private int[] pattern(ByteBuffer bytes, int group) {
    int perByte = 8 / bits;
    int code = (bytes.get(group / perByte) & 0xff) >> (group % perByte * bits) & ((1 << bits) - 1);
    if (code >= patterns.length) {
      throw new IllegalStateException(
          "group "
              + group
              + " of a sparse matrix has the pattern "
              + code
              + ", and there are "
              + patterns.length
              + " of "
              + keep
              + ":"
              + of
              + ": the weights are damaged");
    }
    return patterns[code];
  }

  @Override
  public long[] indices() {
    long[] indices = new long[Math.toIntExact(count())];
    ByteBuffer bytes = codes.value().asBuffer();
    int at = 0;
    for (int g = 0; g < groups; g++) {
      for (int place : pattern(bytes, g)) {
        indices[at++] = (long) g * of + place;
      }
    }
    return indices;
  }

  @Override
  public void spread(FloatBuffer values, FloatBuffer matrix) {
    ByteBuffer bytes = codes.value().asBuffer();
    int at = 0;
    for (int g = 0; g < groups; g++) {
      for (int place : pattern(bytes, g)) {
        matrix.put(g * of + place, values.get(at++));
      }
    }
  }
}
