package dev.jformer.nn.quantized;

import dev.jformer.nn.Layer;
import dev.jformer.nn.TokenEmbedding;
import dev.jformer.nn.internal.Int8Rows;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.function.Function;

/** A token embedding of 8-bit integers, with a scale for each id: int64 ids [...] to [..., D]. */
final class Int8Embedding extends TokenEmbedding implements QuantizedWeight {
  private final Int8Rows rows;
  private final Function<Int8Rows, Layer> output;

  /** Creates a table [count, D] of zeros; {@code output} makes an output layer that shares it. */
  Int8Embedding(long count, long width, Function<Int8Rows, Layer> output) {
    this.rows = Int8Rows.zeros(count, width);
    this.output = output;
    register("weight", rows.values());
    register("scale", rows.scale());
  }

  @Override
  public Tensor forward(Tensor ids) {
    Tensor whole = Functional.embedding(ids, rows.values().value()).to(DType.FLOAT32);
    Tensor scale = rows.scale().value().indexSelect(0, ids.reshape(-1));
    long[] shape = whole.shape().toArray();
    shape[shape.length - 1] = 1;
    return whole.mul(scale.reshape(shape));
  }

  @Override
  public Layer output() {
    return output.apply(rows);
  }

  @Override
  public void quantize(Tensor weight) {
    rows.quantize(weight);
  }

  @Override
  public Tensor dequantized() {
    return rows.dequantized(DType.FLOAT32);
  }
}
