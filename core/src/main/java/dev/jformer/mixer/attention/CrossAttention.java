package dev.jformer.mixer.attention;

import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.JoinedLayers;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Module;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import java.util.List;
import java.util.Map;

/**
 * Cross-attention (<a href="https://arxiv.org/abs/1706.03762">Attention Is All You Need</a>):
 * multi-head softmax attention with queries from one sequence and keys and values from another, by
 * the fused kernel. Keys and values are the same for all queries, so a decoder {@linkplain #read
 * reads} the other sequence once and {@linkplain #forward(Tensor, Memory) attends} to it for each
 * token.
 *
 * <p>Under bf16 autocast attention itself runs in float32, as in {@link Attention}.
 */
public final class CrossAttention extends Module implements JoinedLayers {
  private final int heads;
  private final long width;
  private final Slot<Layer> query;
  private final Slot<Layer> keyValue;
  private final Slot<Layer> out;
  private final Slot<Layer> dropout;

  /**
   * Creates a layer between sequences of the same width.
   *
   * @param heads H, must divide the width
   */
  public CrossAttention(int heads, BlockContext context) {
    this(heads, context.width(), context.width(), context);
  }

  /**
   * Creates a layer between sequences of two widths.
   *
   * @param heads H, must divide the width of all heads
   * @param inner the width of all heads together
   * @param memory the width of the sequence that keys and values come from
   * @param context of the sequence that queries come from
   */
  public CrossAttention(int heads, int inner, int memory, BlockContext context) {
    if (heads < 1 || inner % heads != 0) {
      throw new IllegalArgumentException(
          "heads is " + heads + ": expected a divisor of the width " + inner);
    }
    this.heads = heads;
    this.width = inner;
    this.query = child("query", Layer.class, context.linear(context.width(), inner));
    this.keyValue = child("keyValue", Layer.class, context.linear(memory, 2L * inner));
    this.out = child("out", Layer.class, context.residual(inner, context.width()));
    this.dropout = child("dropout", Layer.class, new Dropout(context.dropout()));
  }

  /**
   * The keys and values of a sequence that is attended to.
   *
   * @param keys [B, H, S, d]
   * @param values [B, H, S, d]
   * @param mask bool [B, 1, 1, S], false at padding; null if there is none
   */
  public record Memory(Tensor keys, Tensor values, Tensor mask) {
    /** Lets the memory outlive its scope, until it is {@linkplain #close closed}. */
    public Memory keep() {
      return new Memory(keys.keep(), values.keep(), mask == null ? null : mask.keep());
    }

    /** Selects sequences by their indices, int64 [n]. */
    public Memory select(Tensor rows) {
      return new Memory(
          keys.indexSelect(0, rows),
          values.indexSelect(0, rows),
          mask == null ? null : mask.indexSelect(0, rows));
    }

    /** Bytes of memory held. */
    public long bytes() {
      return keys.elements() * keys.dtype().bytes() + values.elements() * values.dtype().bytes();
    }

    /** Releases the memory. */
    public void close() {
      keys.close();
      values.close();
      if (mask != null) {
        mask.close();
      }
    }
  }

  @Override
  public Map<String, List<Long>> joinedRows() {
    return Map.of("keyValue", List.of(width, width));
  }

  /**
   * Computes keys and values of a sequence.
   *
   * @param memory [B, S, D]
   * @param paddingMask bool [B, S], false where the memory is padding; null if there is none
   */
  public Memory read(Tensor memory, Tensor paddingMask) {
    List<Tensor> both = keyValue.get().forward(memory).chunk(2, -1);
    Tensor mask = paddingMask == null ? null : paddingMask.unsqueeze(1).unsqueeze(1);
    return new Memory(inFloat(split(both.get(0))), inFloat(split(both.get(1))), mask);
  }

  /**
   * Attends to a memory.
   *
   * @param x [B, T, D]
   * @return [B, T, D]
   */
  public Tensor forward(Tensor x, Memory memory) {
    Tensor queries = inFloat(split(query.get().forward(x)));
    Tensor result;
    try (Mode mode = Autograd.isAutocast() ? Autograd.autocast(DType.BFLOAT16, false) : () -> {}) {
      result =
          Functional.attention(queries, memory.keys(), memory.values(), memory.mask(), false, null);
    }
    return dropout.get().forward(out.get().forward(result.transpose(1, 2).flatten(2, 3)));
  }

  /**
   * Attends to a sequence that is read only for these tokens.
   *
   * @param x [B, T, D]
   * @param memory [B, S, D]
   * @param paddingMask bool [B, S], false where the memory is padding; null if there is none
   * @return [B, T, D]
   */
  public Tensor forward(Tensor x, Tensor memory, Tensor paddingMask) {
    return forward(x, read(memory, paddingMask));
  }

  private Tensor split(Tensor x) {
    return x.unflatten(2, heads, -1).transpose(1, 2);
  }

  private static Tensor inFloat(Tensor x) {
    return Autograd.isAutocast() ? x.to(DType.FLOAT32) : x;
  }
}
