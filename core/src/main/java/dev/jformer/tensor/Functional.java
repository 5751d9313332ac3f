package dev.jformer.tensor;

import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.StringViewOptional;
import org.bytedeco.pytorch.global.torch;

/** Functions that neural networks are made of. Optional tensors may be null. */
public final class Functional {
  private static final int REDUCE_NONE = 0;
  private static final int REDUCE_MEAN = 1;

  /** Number of values of the 16 random bits that decide whether dropout drops an element. */
  private static final long LANE = 1 << 16;

  private Functional() {}

  /**
   * Linear map {@code x Wᵀ + b}.
   *
   * @param x [..., in]
   * @param weight [out, in]
   * @param bias [out] or null
   * @return [..., out]
   */
  public static Tensor linear(Tensor x, Tensor weight, Tensor bias) {
    Flops.linear(x, weight);
    if (ParallelGemv.suits(x, weight, bias)) {
      return ParallelGemv.linear(x, weight, bias);
    }
    return Native.call(
        "linear",
        () -> torch.linear(x.torch(), weight.torch(), Native.optional(bias)),
        x,
        weight,
        bias);
  }

  /**
   * Looks up rows of a table by their ids.
   *
   * @param ids int64 [...]
   * @param table [V, D]
   * @return [..., D]
   */
  public static Tensor embedding(Tensor ids, Tensor table) {
    return Native.call("embedding", () -> torch.embedding(table.torch(), ids.torch()), ids, table);
  }

  /**
   * Layer normalisation over the last dimension (<a href="https://arxiv.org/abs/1607.06450">Layer
   * Normalization</a>).
   */
  public static Tensor layerNorm(Tensor x, Tensor weight, Tensor bias, double epsilon) {
    return Native.call(
        "layer_norm",
        () ->
            torch.layer_norm(
                x.torch(),
                new long[] {x.size(-1)},
                Native.optional(weight),
                Native.optional(bias),
                epsilon,
                false),
        x,
        weight,
        bias);
  }

  /**
   * Group normalisation (<a href="https://arxiv.org/abs/1803.08494">Group Normalization</a>): mean
   * and deviation are taken over all numbers of a group of channels of one sample.
   *
   * @param x [B, C, ...]
   * @param groups number of groups, a divisor of C
   * @param weight [C]
   * @param bias [C]
   */
  public static Tensor groupNorm(
      Tensor x, long groups, Tensor weight, Tensor bias, double epsilon) {
    return Native.call(
        "group_norm",
        () ->
            torch.group_norm(
                x.torch(), groups, Native.optional(weight), Native.optional(bias), epsilon, false),
        x,
        weight,
        bias);
  }

  /**
   * Batch normalisation over all dimensions but the second (<a
   * href="https://arxiv.org/abs/1502.03167">Batch Normalization: Accelerating Deep Network Training
   * by Reducing Internal Covariate Shift</a>).
   *
   * @param x [N, C, ...]
   * @param mean running mean [C]; moves towards the batch's in training
   * @param variance running variance [C]; moves towards the batch's unbiased one in training
   * @param training whether to normalise by the batch's own mean and variance, not the running ones
   */
  public static Tensor batchNorm(
      Tensor x,
      Tensor weight,
      Tensor bias,
      Tensor mean,
      Tensor variance,
      boolean training,
      double momentum,
      double epsilon) {
    return Native.call(
        "batch_norm",
        () ->
            torch.batch_norm(
                x.torch(),
                Native.optional(weight),
                Native.optional(bias),
                Native.optional(mean),
                Native.optional(variance),
                training,
                momentum,
                epsilon,
                false),
        x,
        weight,
        bias,
        mean,
        variance);
  }

  /**
   * Root-mean-square normalisation over the last dimension (<a
   * href="https://arxiv.org/abs/1910.07467">Root Mean Square Layer Normalization</a>).
   */
  public static Tensor rmsNorm(Tensor x, Tensor weight, double epsilon) {
    return Native.call(
        "rms_norm",
        () ->
            torch.rms_norm(
                x.torch(),
                new long[] {x.size(-1)},
                Native.optional(weight),
                new DoubleOptional(epsilon)),
        x,
        weight);
  }

  /**
   * Gaussian error linear unit (<a href="https://arxiv.org/abs/1606.08415">Gaussian Error Linear
   * Units (GELUs)</a>), exact.
   */
  public static Tensor gelu(Tensor x) {
    return Native.call("gelu", () -> torch.gelu(x.torch()), x);
  }

  /** The tanh approximation of {@link #gelu}, as GPT-2 uses it. */
  public static Tensor geluTanh(Tensor x) {
    return Native.call("gelu", () -> torch.gelu(x.torch(), "tanh"), x);
  }

  /** Sigmoid linear unit (swish): {@code x * sigmoid(x)}. */
  public static Tensor silu(Tensor x) {
    return Native.call("silu", () -> torch.silu(x.torch()), x);
  }

  /**
   * Rational function {@code P(x) / (1 + |Q(x)|)} of each element, where P is of degree 5 and Q of
   * degree 4 without a constant, one for each of G groups of neighbouring channels (<a
   * href="https://arxiv.org/abs/2409.10594">Kolmogorov-Arnold Transformer</a>). In float32 on the
   * CPU it takes one pass over memory, and one for its gradients.
   *
   * @param x [..., D] where G divides D
   * @param numerator [6], coefficients of P, the constant first
   * @param denominator [G, 4], coefficients of Q, the one of x first
   */
  public static Tensor rational(Tensor x, Tensor numerator, Tensor denominator) {
    boolean fits =
        x.rank() > 0
            && numerator.shape().equals(Shape.of(Rational.NUMERATOR))
            && denominator.rank() == 2
            && denominator.size(1) == Rational.DENOMINATOR
            && x.size(-1) % denominator.size(0) == 0;
    if (!fits) {
      throw new TensorException(
          "rational: expected x [..., D], a numerator of shape [6] and a denominator of shape [G,"
              + " 4] where G divides D, got "
              + x.shape()
              + ", "
              + numerator.shape()
              + " and "
              + denominator.shape());
    }
    return Rational.apply(x, numerator, denominator);
  }

  /** Exponential linear unit: x if positive, else {@code exp(x) - 1}. */
  public static Tensor elu(Tensor x) {
    return Native.call("elu", () -> torch.elu(x.torch()), x);
  }

  /**
   * Dropout: in training, sets each element to zero with probability {@code p} and scales the
   * others by 1/(1-p).
   *
   * <p>libtorch's own dropout draws one number for each element, in one thread; here one draw of 64
   * bits serves four elements. So {@code p} is rounded to a multiple of 2⁻¹⁶, and the scale is that
   * of the rounded value.
   */
  public static Tensor dropout(Tensor x, double p, boolean training) {
    long dropped = Math.round(p * LANE);
    if (dropped == 0 || !training) {
      return x;
    }
    long elements = x.elements();
    Tensor mask =
        Native.call(
            "dropout",
            () ->
                torch
                    .empty(
                        new long[] {(elements + 3) / 4},
                        x.torch().options().dtype(new ScalarTypeOptional(DType.INT64.scalarType())),
                        new org.bytedeco.pytorch.MemoryFormatOptional())
                    .random_(Long.MIN_VALUE, new org.bytedeco.pytorch.LongOptional())
                    .view(DType.INT16.scalarType())
                    .narrow(0, 0, elements)
                    .view(x.shape().toArray())
                    .ge(new Scalar(dropped - LANE / 2))
                    .to(x.dtype().scalarType())
                    .mul_(new Scalar((double) LANE / (LANE - dropped))),
            x);
    return x.mul(mask);
  }

  /**
   * Softmax attention by the fused kernel, which never holds the T×S matrix, but in {@link
   * Autograd#secondDerivatives}.
   *
   * @param query [B, H, T, d]
   * @param key [B, G, S, d] where G divides H
   * @param value [B, G, S, d]
   * @param mask added to the logits, in the queries' type if it has another one, or bool with true
   *     where attention is allowed; broadcasts to [B, H, T, S]; or null
   * @param causal whether query t sees keys up to t only; needs T = S and no mask
   * @param scale factor on the logits; null for 1/√d
   * @return [B, H, T, d]
   */
  public static Tensor attention(
      Tensor query, Tensor key, Tensor value, Tensor mask, boolean causal, Double scale) {
    Flops.attention(query, key, value, causal);
    // The kernel reads the bytes of a float mask as the queries' type, whatever type it has.
    boolean fits = mask == null || mask.dtype() == DType.BOOL || mask.dtype() == query.dtype();
    Tensor typed = fits ? mask : mask.to(query.dtype());
    if (Autograd.isTwice()) {
      boolean grouped = key.size(1) != query.size(1);
      return PlainAttention.OPERATOR.call(
          query, key, value, typed, 0.0, causal, null, scale, grouped);
    }
    return Native.call(
        "scaled_dot_product_attention",
        () ->
            torch.scaled_dot_product_attention(
                query.torch(),
                key.torch(),
                value.torch(),
                Native.optional(typed),
                0.0,
                causal,
                Native.optional(scale),
                key.size(1) != query.size(1)),
        query,
        key,
        value,
        typed);
  }

  private static final class PlainAttention {
    static final Operator OPERATOR = Operator.named("aten::_scaled_dot_product_attention_math");
  }

  /**
   * The product of a row vector with a matrix, given by those of its elements that are not 0: reads
   * only their rows of the matrix.
   *
   * @param elements the columns of the vector's elements, int64 [K]
   * @param values the elements, [K]
   * @param matrix [N, D]
   * @return [1, D]
   */
  public static Tensor sparseRow(Tensor elements, Tensor values, Tensor matrix) {
    return values.view(1, values.elements()).matmul(matrix.indexSelect(0, elements));
  }

  /** Softmax along a dimension; zeros where all elements along it are -∞. */
  public static Tensor safeSoftmax(Tensor x, int dim) {
    return SafeSoftmax.OPERATOR.call(x, dim);
  }

  private static final class SafeSoftmax {
    static final Operator OPERATOR = Operator.named("aten::_safe_softmax");
  }

  /**
   * Mean cross-entropy in nats.
   *
   * @param logits [N, V]
   * @param targets int64 [N]; those equal to {@code ignore} do not count
   * @param labelSmoothing share of the target mass spread evenly over all classes (<a
   *     href="https://arxiv.org/abs/1512.00567">Rethinking the Inception Architecture for Computer
   *     Vision</a>)
   * @return a scalar
   */
  public static Tensor crossEntropy(
      Tensor logits, Tensor targets, long ignore, double labelSmoothing) {
    return crossEntropy(logits, targets, ignore, labelSmoothing, REDUCE_MEAN);
  }

  /** Cross-entropy of each target in nats: [N]; 0 where the target equals {@code ignore}. */
  public static Tensor crossEntropyEach(Tensor logits, Tensor targets, long ignore) {
    return crossEntropy(logits, targets, ignore, 0, REDUCE_NONE);
  }

  private static Tensor crossEntropy(
      Tensor logits, Tensor targets, long ignore, double labelSmoothing, int reduction) {
    return Native.call(
        "cross_entropy",
        () ->
            torch.cross_entropy_loss(
                logits.torch(),
                targets.torch(),
                Native.optional((Tensor) null),
                reduction,
                ignore,
                labelSmoothing),
        logits,
        targets);
  }

  /** Mean squared error, a scalar. */
  public static Tensor meanSquaredError(Tensor x, Tensor target) {
    return Native.call(
        "mse_loss", () -> torch.mse_loss(x.torch(), target.torch(), REDUCE_MEAN), x, target);
  }

  /** Softplus: {@code log(1 + exp(x))}. */
  public static Tensor softplus(Tensor x) {
    return Native.call("softplus", () -> torch.softplus(x.torch()), x);
  }

  /**
   * One-dimensional convolution.
   *
   * @param x [B, in, T]
   * @param weight [out, in / groups, kernel]
   * @param bias [out] or null
   * @param padding zeros added at both ends
   */
  public static Tensor conv1d(
      Tensor x, Tensor weight, Tensor bias, long stride, long padding, long dilation, long groups) {
    Tensor result =
        Native.call(
            "conv1d",
            () ->
                torch.conv1d(
                    x.torch(),
                    weight.torch(),
                    Native.optional(bias),
                    new long[] {stride},
                    new long[] {padding},
                    new long[] {dilation},
                    groups),
            x,
            weight,
            bias);
    Flops.convolution(weight, result);
    return result;
  }

  /**
   * Two-dimensional convolution.
   *
   * @param x [B, in, H, W]
   * @param weight [out, in / groups, kernel, kernel]
   * @param bias [out] or null
   * @param padding zeros added on all sides
   */
  public static Tensor conv2d(
      Tensor x, Tensor weight, Tensor bias, long stride, long padding, long groups) {
    Tensor result =
        Native.call(
            "conv2d",
            () ->
                torch.conv2d(
                    x.torch(),
                    weight.torch(),
                    Native.optional(bias),
                    new long[] {stride, stride},
                    new long[] {padding, padding},
                    new long[] {1, 1},
                    groups),
            x,
            weight,
            bias);
    Flops.convolution(weight, result);
    return result;
  }

  /**
   * Doubles the height and the width of images: each pixel becomes four.
   *
   * @param x [B, C, H, W]
   * @return [B, C, 2 H, 2 W]
   */
  public static Tensor doubled(Tensor x) {
    return Native.call(
        "upsample_nearest2d",
        () -> torch.upsample_nearest2d(x.torch(), 2 * x.size(2), 2 * x.size(3)),
        x);
  }

  /**
   * The patches that a convolution sees, in the order in which its weight [out, in, kernel, kernel]
   * has its numbers.
   *
   * @param x [B, in, H, W]
   * @param padding zeros added on all sides
   * @return [B, in · kernel², H' · W']
   */
  public static Tensor unfold(Tensor x, long kernel, long stride, long padding) {
    return Native.call(
        "im2col",
        () ->
            torch.im2col(
                x.torch(),
                new long[] {kernel, kernel},
                new long[] {1, 1},
                new long[] {padding, padding},
                stride,
                stride),
        x);
  }

  /**
   * Average pooling with stride 1; positions outside of x do not count in the mean.
   *
   * @param x [B, C, H, W]
   * @param height of the window, odd
   * @param width of the window, odd
   * @return [B, C, H, W]
   */
  public static Tensor meanPool(Tensor x, long height, long width) {
    return Native.call(
        "avg_pool2d",
        () ->
            torch.avg_pool2d(
                x.torch(),
                new long[] {height, width},
                new long[] {1, 1},
                new long[] {height / 2, width / 2},
                false,
                false,
                new LongOptional()),
        x);
  }

  /**
   * Transforms images by affine maps: the pixel at (u, v) of the result is that of x at θ·(u, v,
   * 1), interpolated bilinearly. Coordinates run from -1 to 1 between the outer edges; pixels
   * outside are 0.
   *
   * @param x [B, C, H, W]
   * @param theta [B, 2, 3]
   * @return [B, C, H, W]
   */
  public static Tensor warp(Tensor x, Tensor theta) {
    return Native.call(
        "grid_sampler",
        () ->
            torch.grid_sampler(
                x.torch(),
                torch.affine_grid_generator(theta.torch(), x.shape().toArray(), false),
                0,
                0,
                false),
        x,
        theta);
  }

  /**
   * Pads with a constant.
   *
   * @param widths before and after the last dimension, then before and after the one before it, and
   *     so on
   */
  public static Tensor pad(Tensor x, double value, long... widths) {
    return Native.call(
        "pad", () -> torch.pad(x.torch(), widths, "constant", new DoubleOptional(value)), x);
  }

  /**
   * Discrete Fourier transform of real numbers along a dimension.
   *
   * @param x float32 or float64
   * @param length n: x is cut or filled with zeros to this length first
   * @return the first n/2 + 1 coefficients, complex: to be multiplied and handed to {@link
   *     #inverseFourier}
   */
  public static Tensor fourier(Tensor x, long length, int dim) {
    return Native.call(
        "fft_rfft",
        () -> torch.fft_rfft(x.torch(), new LongOptional(length), dim, new StringViewOptional()),
        x);
  }

  /** Inverse of {@link #fourier}: real numbers, {@code length} along a dimension. */
  public static Tensor inverseFourier(Tensor x, long length, int dim) {
    return Native.call(
        "fft_irfft",
        () -> torch.fft_irfft(x.torch(), new LongOptional(length), dim, new StringViewOptional()),
        x);
  }

  /** Leaky rectified linear unit: x if positive, else {@code slope * x}. */
  public static Tensor leakyRelu(Tensor x, double slope) {
    return Native.call("leaky_relu", () -> torch.leaky_relu(x.torch(), new Scalar(slope)), x);
  }
}
