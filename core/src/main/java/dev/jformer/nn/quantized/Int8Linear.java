package dev.jformer.nn.quantized;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Projection;
import dev.jformer.nn.TokenEmbedding;
import dev.jformer.nn.internal.Int8Rows;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Int8;
import dev.jformer.tensor.Tensor;

/**
 * A linear layer, [..., in] to [..., out], whose product runs on 8-bit integers, of <a
 * href="https://arxiv.org/abs/2208.07339">LLM.int8(): 8-bit Matrix Multiplication for Transformers
 * at Scale</a>. Each row of the weight and each row of the input (a token) has a scale of its own,
 * its largest absolute value over 127; the sums are 32-bit integers, and the outer product of the
 * scales makes floats of them.
 *
 * <p>Feature dimensions in which any token of the call has an absolute value of at least a
 * threshold, outliers, leave the integer product, so that they do not widen the steps of all
 * others. They are multiplied in float with their columns of the weight. As in the paper they are
 * found in each call, so a token's result depends, within rounding, on the other tokens.
 *
 * <p>There are two differences. The paper keeps the columns of outliers in 16 bits, which needs a
 * second copy of the weight or the places of outliers in advance; here, as in the authors' code for
 * inference, they are the columns of the 8-bit weight, converted to floats. And the paper does not
 * quantize the embedding and the output layer; here the token embedding is stored in 8 bits too,
 * and a tied output layer multiplies with it by the same product, because in a small model most
 * bytes are there.
 *
 * <p>A float64 input is multiplied in float64, in which the integers are only simulated; a float32
 * one by the integer kernel. The layer has no gradients and cannot be trained.
 */
public final class Int8Linear extends QuantizedRowsLinear {
  /**
   * Configuration.
   *
   * @param threshold absolute value from which a feature is an outlier; 0 for no decomposition
   */
  @AutoService(Projection.class)
  public record Config(double threshold) implements Projection {
    /** Default: the paper's threshold of 6. */
    public Config() {
      this(6);
    }

    /** Checks the values. */
    public Config {
      Checks.check(
          threshold >= 0 && Double.isFinite(threshold),
          "threshold",
          threshold,
          "at least 0 (0 for no decomposition)");
    }

    @Override
    public String type() {
      return "llm-int8";
    }

    @Override
    public boolean trains() {
      return false;
    }

    @Override
    public Int8Linear build(long in, long out, boolean bias, Initializer initializer) {
      return new Int8Linear(Int8Rows.zeros(out, in), zeros(out, bias), this.threshold());
    }

    @Override
    public TokenEmbedding table(long count, long width, Initializer initializer) {
      return new Int8Embedding(count, width, rows -> new Int8Linear(rows, null, threshold));
    }

    @Override
    public Layer output(long in, long out, Initializer initializer) {
      return build(in, out, false, initializer);
    }
  }

  private final Int8Rows rows;
  private final double threshold;

  private Int8Linear(Int8Rows rows, Parameter bias, double threshold) {
    super(rows.values(), rows.scale(), bias);
    this.rows = rows;
    this.threshold = threshold;
  }

  @Override
  Tensor product(Tensor x) {
    if (x.size(0) < 2) {
      return product(x, outliers(x));
    }
    Tensor largest = Int8.largest(x);
    return reachesThreshold(largest) ? product(x, columns(x)) : regular(x, largest);
  }

  private Tensor product(Tensor x, Tensor outliers) {
    if (outliers == null) {
      return regular(x, null);
    }
    Tensor rest = without(x, outliers);
    return regular(rest, null).add_(irregular(x, outliers));
  }

  @Override
  Tensor inDoubles(Tensor x) {
    return product(x, outliers(x));
  }

  @Override
  Tensor matrix(DType dtype) {
    return rows.dequantized(dtype);
  }

  /**
   * The feature dimensions in which a row has a value of at least the threshold.
   *
   * @param x [M, in]
   * @return int64 [outliers]; null if there are none
   */
  Tensor outliers(Tensor x) {
    return reachesThreshold(x.abs()) ? columns(x) : null;
  }

  private boolean reachesThreshold(Tensor sizes) {
    return threshold > 0 && sizes.elements() > 0 && sizes.max().item() >= threshold;
  }

  private Tensor columns(Tensor x) {
    return x.abs().max(0, false).ge(Tensor.full(threshold, x.dtype(), 1)).nonzero().squeeze(1);
  }

  private static Tensor without(Tensor x, Tensor columns) {
    Tensor zeros = Tensor.zeros(x.dtype(), 1, 1).expand(x.size(0), columns.elements());
    return x.copy().indexCopy_(1, columns, zeros);
  }

  /**
   * The product on integers.
   *
   * @param largest absolute value of each row; null to find it here
   */
  private Tensor regular(Tensor x, Tensor largest) {
    Tensor offset = offset(x.dtype());
    if (x.dtype() != DType.FLOAT64) {
      return Int8.linear(
          x.contiguous(),
          largest,
          rows.values().value(),
          rows.scale().value(),
          offset,
          Int8.Activations.BITS_8);
    }
    Tensor step = x.abs().max(1, true).mul(1.0 / Int8.LEVELS);
    Tensor divisor = step.clamp(Double.MIN_NORMAL, Double.POSITIVE_INFINITY);
    Tensor rounded = x.div(divisor).round().mul(step);
    return Functional.linear(rounded, matrix(DType.FLOAT64), offset);
  }

  private Tensor irregular(Tensor x, Tensor columns) {
    Tensor weight = rows.values().value().indexSelect(1, columns).to(x.dtype());
    return Functional.linear(x.indexSelect(1, columns), weight, null)
        .mul(rows.scale().value().to(x.dtype()));
  }

  @Override
  public void quantize(Tensor weight) {
    rows.quantize(weight);
  }
}
