package dev.jformer.io.gguf;

import dev.jformer.io.FormatException;
import dev.jformer.tensor.BlockTable;
import dev.jformer.tensor.DType;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;

/** An element type of GGUF's tensors: a floating-point type, or blocks of quantized values. */
public enum GgufType {
  /** 32-bit floats. */
  F32(0, DType.FLOAT32),
  /** 16-bit floats. */
  F16(1, DType.FLOAT16),
  /** bfloat16. */
  BF16(30, DType.BFLOAT16),
  /** Blocks of 32 signed 4-bit values with a scale. */
  Q4_0(2, 32, 18, 32, false, LinearBlocks.Q4_0),
  /** Blocks of 32 unsigned 4-bit values with a scale and a smallest value. */
  Q4_1(3, 32, 20, 32, true, LinearBlocks.Q4_1),
  /** Blocks of 32 signed 5-bit values with a scale. */
  Q5_0(6, 32, 22, 32, false, LinearBlocks.Q5_0),
  /** Blocks of 32 unsigned 5-bit values with a scale and a smallest value. */
  Q5_1(7, 32, 24, 32, true, LinearBlocks.Q5_1),
  /** Blocks of 32 signed 8-bit values with a scale. */
  Q8_0(8, 32, 34, 32, false, LinearBlocks.Q8_0),
  /** Super-blocks of 256 values of 2 bits, whose 16 scales and offsets have 4 bits. */
  Q2_K(10, 256, 84, 16, true, SuperBlocks.Q2_K),
  /** Super-blocks of 256 values of 3 bits, whose 16 scales have 6 bits. */
  Q3_K(11, 256, 110, 16, false, SuperBlocks.Q3_K),
  /** Super-blocks of 256 values of 4 bits, whose 8 scales and offsets have 6 bits. */
  Q4_K(12, 256, 144, 32, true, SuperBlocks.Q4_K),
  /** Super-blocks of 256 values of 5 bits, whose 8 scales and offsets have 6 bits. */
  Q5_K(13, 256, 176, 32, true, SuperBlocks.Q5_K),
  /** Super-blocks of 256 values of 6 bits, whose 16 scales have 8 bits. */
  Q6_K(14, 256, 210, 16, false, SuperBlocks.Q6_K);

  /** Types that are not supported, for messages. */
  private static final Map<Integer, String> OTHERS =
      Map.ofEntries(
          Map.entry(9, "Q8_1"),
          Map.entry(15, "Q8_K"),
          Map.entry(16, "IQ2_XXS"),
          Map.entry(17, "IQ2_XS"),
          Map.entry(18, "IQ3_XXS"),
          Map.entry(19, "IQ1_S"),
          Map.entry(20, "IQ4_NL"),
          Map.entry(21, "IQ3_S"),
          Map.entry(22, "IQ2_S"),
          Map.entry(23, "IQ4_XS"),
          Map.entry(24, "I8"),
          Map.entry(25, "I16"),
          Map.entry(26, "I32"),
          Map.entry(27, "I64"),
          Map.entry(28, "F64"),
          Map.entry(29, "IQ1_M"),
          Map.entry(34, "TQ1_0"),
          Map.entry(35, "TQ2_0"),
          Map.entry(39, "MXFP4"));

  private final int id;
  private final DType dtype;
  private final int blockValues;
  private final int blockBytes;
  private final int partValues;
  private final boolean offsets;
  private final BlockDecoder decoder;

  GgufType(int id, DType dtype) {
    this(id, dtype, 1, dtype.bytes(), 1, false, null);
  }

  GgufType(
      int id,
      int blockValues,
      int blockBytes,
      int partValues,
      boolean offsets,
      BlockDecoder decoder) {
    this(id, DType.FLOAT32, blockValues, blockBytes, partValues, offsets, decoder);
  }

  GgufType(
      int id,
      DType dtype,
      int blockValues,
      int blockBytes,
      int partValues,
      boolean offsets,
      BlockDecoder decoder) {
    this.id = id;
    this.dtype = dtype;
    this.blockValues = blockValues;
    this.blockBytes = blockBytes;
    this.partValues = partValues;
    this.offsets = offsets;
    this.decoder = decoder;
  }

  /** The type's number in files. */
  int id() {
    return id;
  }

  /** The type of the tensors that are made of it: float32 for all quantized types. */
  public DType dtype() {
    return dtype;
  }

  /** The number of values of a block, 1 for floating-point types. */
  public int blockValues() {
    return blockValues;
  }

  /** The number of bytes of a block. */
  public int blockBytes() {
    return blockBytes;
  }

  /** The number of values of a block that share a scale. */
  public int partValues() {
    return partValues;
  }

  /** Whether values that share a scale share an offset too. */
  public boolean hasOffsets() {
    return offsets;
  }

  /** The number of bits of a {@link BlockTable} that its integers fit: 4 or 8. */
  public int tableBits() {
    return switch (this) {
      case Q4_0, Q4_1, Q2_K, Q3_K, Q4_K -> 4;
      default -> 8;
    };
  }

  /** Whether it holds blocks of quantized values. */
  public boolean isQuantized() {
    return decoder != null;
  }

  /** Decodes blocks; null for floating-point types. */
  BlockDecoder decoder() {
    return decoder;
  }

  /**
   * The type with this number.
   *
   * @throws FormatException if it is unknown or not supported
   */
  static GgufType of(int id) {
    for (GgufType type : values()) {
      if (type.id == id) {
        return type;
      }
    }
    String name = OTHERS.get(id);
    throw new FormatException(
        "type "
            + (name == null ? Integer.toUnsignedString(id) : name)
            + ", which is not supported: only "
            + Arrays.stream(values()).map(GgufType::name).collect(Collectors.joining(", "))
            + " are");
  }
}
