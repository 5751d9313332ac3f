package dev.jformer.mixer;

import dev.jformer.nn.Dropout;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Module;
import dev.jformer.nn.Site;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * Multi-head softmax attention of one sequence's tokens to another's (arXiv 1706.03762): queries of
 * the one, keys and values of the other, by the fused kernel.
 */
public final class CrossAttention extends Module {
  private final int heads;
  private final Slot<Layer> query;
  private final Slot<Layer> keyValue;
  private final Slot<Layer> out;
  private final Slot<Layer> dropout;

  /**
   * A new layer.
   *
   * @param heads H, must divide the width
   */
  public CrossAttention(int heads, Site site) {
    if (heads < 1 || site.width() % heads != 0) {
      throw new IllegalArgumentException(
          "heads is " + heads + ": expected a divisor of the width " + site.width());
    }
    this.heads = heads;
    this.query = child("query", Layer.class, site.linear(site.width(), site.width()));
    this.keyValue = child("keyValue", Layer.class, site.linear(site.width(), 2L * site.width()));
    this.out = child("out", Layer.class, site.residual(site.width(), site.width()));
    this.dropout = child("dropout", Layer.class, new Dropout(site.dropout()));
  }

  /**
   * What tokens take from a memory.
   *
   * @param x [B, T, D]
   * @param memory [B, S, D]
   * @param keep bool [B, S], false where the memory is padding; null if there is none
   * @return [B, T, D]
   */
  public Tensor forward(Tensor x, Tensor memory, Tensor keep) {
    List<Tensor> both = keyValue.get().forward(memory).chunk(2, -1);
    Tensor mask = keep == null ? null : keep.unsqueeze(1).unsqueeze(1);
    Tensor result =
        Functional.attention(
            split(query.get().forward(x)),
            split(both.get(0)),
            split(both.get(1)),
            mask,
            false,
            null);
    return dropout.get().forward(out.get().forward(result.transpose(1, 2).flatten(2, 3)));
  }

  private Tensor split(Tensor x) {
    return x.unflatten(2, heads, -1).transpose(1, 2);
  }
}
