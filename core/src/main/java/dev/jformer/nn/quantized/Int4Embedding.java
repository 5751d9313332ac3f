package dev.jformer.nn.quantized;

import dev.jformer.nn.Layer;
import dev.jformer.nn.TokenEmbedding;
import dev.jformer.tensor.Tensor;

/** A token embedding of 4-bit integers: int64 ids [...] to [..., D]. */
final class Int4Embedding extends TokenEmbedding implements QuantizedWeight {
  private final Int4Rows rows;

  /** Creates a table [count, D] of zeros. */
  Int4Embedding(long count, long width, int group) {
    this.rows = Int4Rows.zeros(count, width, group);
    register("weight", rows.codes());
    register("scale", rows.scales());
  }

  @Override
  public Tensor forward(Tensor ids) {
    Tensor values = rows.values(ids.reshape(-1));
    long[] shape = java.util.Arrays.copyOf(ids.shape().toArray(), ids.rank() + 1);
    shape[shape.length - 1] = values.size(1);
    return values.reshape(shape);
  }

  @Override
  public Layer output() {
    return new WeightInt4Linear(rows, null);
  }

  @Override
  public void quantize(Tensor weight) {
    rows.quantize(weight);
  }

  @Override
  public Tensor dequantized() {
    return rows.dequantized();
  }
}
