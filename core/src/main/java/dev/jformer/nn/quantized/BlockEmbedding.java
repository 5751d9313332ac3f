package dev.jformer.nn.quantized;

import dev.jformer.nn.Embedding;
import dev.jformer.nn.Foldable;
import dev.jformer.nn.Layer;
import dev.jformer.nn.TokenEmbedding;
import dev.jformer.tensor.IntegerBlocks;
import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;
import java.util.Arrays;

/** A token embedding of blocks of integers: int64 ids [...] to [..., D]. */
final class BlockEmbedding extends TokenEmbedding implements BlockWeight, Foldable {
  private final BlockRows rows;

  BlockEmbedding(BlockRows rows) {
    this.rows = rows;
    register("weight", rows.codes());
    register("scale", rows.scales());
    register("offset", rows.offsets());
  }

  @Override
  public Tensor forward(Tensor ids) {
    Tensor values = rows.values(ids.reshape(-1));
    long[] shape = Arrays.copyOf(ids.shape().toArray(), ids.rank() + 1);
    shape[shape.length - 1] = values.size(1);
    return values.reshape(shape);
  }

  @Override
  public Layer output() {
    return new BlockLinear(rows, null);
  }

  @Override
  public void quantize(Tensor weight) {
    rows.quantize(weight);
  }

  @Override
  public Shape shape() {
    return Shape.of(rows.rows(), rows.width());
  }

  @Override
  public void store(IntegerBlocks blocks) {
    rows.store(blocks);
  }

  @Override
  public void store(Tensor matrix) {
    rows.store(matrix);
  }

  @Override
  public Tensor dequantized() {
    return rows.matrix();
  }

  @Override
  public Embedding folded() {
    return new Embedding(rows.rows(), rows.width(), shape -> dequantized().contiguous());
  }
}
