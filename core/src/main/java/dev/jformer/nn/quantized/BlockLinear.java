package dev.jformer.nn.quantized;

import com.google.auto.service.AutoService;
import dev.jformer.nn.Foldable;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Projection;
import dev.jformer.nn.RowFunction;
import dev.jformer.nn.TokenEmbedding;
import dev.jformer.nn.internal.Derived;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.FloatProduct;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.IntegerBlocks;
import dev.jformer.tensor.RowProduct;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;

/**
 * A linear layer [..., in] to [..., out] that holds a matrix as files of quantized models have it:
 * integers of 4 or 8 bits, and a float32 scale for each block of adjacent values, with an offset if
 * the file has one. Nothing is rounded once more: the layer computes what the matrix of floats
 * would, up to the rounding of float32 sums. A matrix that is not made of blocks stays one of
 * floats.
 *
 * <p>The integers are held in panels, in which order one vector is multiplied fastest; see {@link
 * dev.jformer.tensor.BlockTable}. For many rows the matrix is converted to floats in pieces.
 *
 * <p>The layer cannot be trained; it folds into a plain one.
 */
public final class BlockLinear extends QuantizedRowsLinear implements BlockWeight, Foldable {
  /** Configuration. How many bits a layer has is not fixed by it. */
  @AutoService(Projection.class)
  public record Config() implements Projection {
    @Override
    public String type() {
      return "blocks";
    }

    @Override
    public boolean trains() {
      return false;
    }

    @Override
    public Projection folded() {
      return new Linear.Config();
    }

    @Override
    public BlockLinear build(long in, long out, boolean bias, Initializer initializer) {
      return new BlockLinear(BlockRows.zeros(out, in), zeros(out, bias));
    }

    @Override
    public TokenEmbedding table(long count, long width, Initializer initializer) {
      return new BlockEmbedding(BlockRows.zeros(count, width));
    }

    @Override
    public Layer output(long in, long out, Initializer initializer) {
      return build(in, out, false, initializer);
    }
  }

  private final BlockRows rows;
  private final Derived<RowProduct> few = new Derived<>(RowProduct::close);

  BlockLinear(BlockRows rows, Parameter bias) {
    super(rows.codes(), rows.scales(), bias);
    register("offset", rows.offsets());
    this.rows = rows;
  }

  @Override
  Tensor product(Tensor x) {
    Tensor bias = offset(DType.FLOAT32);
    if (rows.isPlain()) {
      return Functional.linear(x, rows.matrix(), bias);
    }
    if (x.size(0) > RowProduct.MOST_ROWS) {
      return rows.table().linear(x, bias);
    }
    return few().linear(x.contiguous(), bias);
  }

  private RowProduct few() {
    return few.get(
        () -> rows.table().product(),
        rows.codes().value(),
        rows.scales().value(),
        rows.offsets().value());
  }

  @Override
  RowFunction rowProduct() {
    return rows.isPlain() ? this::plainProduct : (x, y, count) -> few().apply(x, y, count);
  }

  private void plainProduct(float[] x, float[] y, int count) {
    try (Scope scope = Scope.open()) {
      new FloatProduct(rows.matrix()).apply(x, y, count);
    }
  }

  @Override
  Tensor matrix(DType dtype) {
    return rows.matrix().to(dtype);
  }

  @Override
  public void quantize(Tensor weight) {
    rows.quantize(weight);
    forget();
  }

  @Override
  public Shape shape() {
    return Shape.of(rows.rows(), rows.width());
  }

  @Override
  public void store(IntegerBlocks blocks) {
    rows.store(blocks);
    forget();
  }

  @Override
  public void store(Tensor matrix) {
    rows.store(matrix);
    forget();
  }

  @Override
  public Linear folded() {
    return new Linear(dequantized().contiguous(), bias() == null ? null : bias().value());
  }

  /** The bytes of what the kernel needs beside the weights; 0 before the first use. */
  @Override
  public long derivedBytes() {
    return few.bytes(RowProduct::bytes);
  }

  @Override
  protected void forget() {
    few.forget();
  }
}
