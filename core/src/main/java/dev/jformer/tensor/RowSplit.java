package dev.jformer.tensor;

import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.global.torch;

/**
 * The linear map of a single vector, as in decoding, with the rows of the weight shared out among
 * {@link Lanes}.
 */
final class RowSplit {
  private static final long SMALLEST = 1 << 18;

  /**
   * On AMD's processors MKL's matrix-vector product reads memory more slowly than its product with
   * two equal vectors does, up to this width (measured on an EPYC, one thread, GB/s: 256 wide 5.7
   * against 14, 768: 10.5 against 17, 1536: 11.5 against 16, 2048: 12.8 against 11.6).
   */
  private static final long WIDEST_PAIR = 1536;

  private static final boolean PAIRS = Engine.blas().equals("mkl") && Engine.isAmd();

  private RowSplit() {}

  /** Whether this is one float32 vector times a large float32 matrix, and no gradient is wanted. */
  static boolean suits(Tensor x, Tensor weight) {
    if (GradMode.is_enabled() || x.isClosed() || weight.isClosed()) {
      return false;
    }
    long in = x.torch().numel();
    return weight.torch().dim() == 2
        && in == weight.torch().size(1)
        && x.torch().dim() > 0
        && x.torch().size(-1) == in
        && weight.torch().numel() >= SMALLEST
        && x.torch().scalar_type().value == DType.FLOAT32.scalarType().value
        && weight.torch().scalar_type().value == DType.FLOAT32.scalarType().value
        && !Autograd.isAutocast()
        && weight.device().equals(Device.CPU)
        && Engine.threads() > 1;
  }

  static Tensor linear(Tensor x, Tensor weight, Tensor bias) {
    long rows = weight.torch().size(0);
    Tensor vector = x.reshape(weight.torch().size(1));
    Tensor pair = PAIRS && vector.size(0) <= WIDEST_PAIR ? vector.unsqueeze(0).repeat(2, 1) : null;
    Tensor result = Tensor.empty(DType.FLOAT32, rows);
    Lanes lanes = Lanes.shared();
    Native.run(
        "linear",
        () ->
            lanes.run(
                lane -> {
                  long from = rows * lane / lanes.count();
                  long count = rows * (lane + 1) / lanes.count() - from;
                  var part = result.torch().narrow(0, from, count);
                  var matrix = weight.torch().narrow(0, from, count);
                  var offset = bias == null ? null : bias.torch().narrow(0, from, count);
                  if (pair == null) {
                    single(part, matrix, vector.torch(), offset);
                  } else {
                    pair(part, matrix, pair.torch(), offset);
                  }
                }),
        x,
        weight,
        bias);
    long[] shape = x.shape().toArray();
    shape[shape.length - 1] = rows;
    return result.view(shape);
  }

  private static void single(
      org.bytedeco.pytorch.Tensor part,
      org.bytedeco.pytorch.Tensor matrix,
      org.bytedeco.pytorch.Tensor vector,
      org.bytedeco.pytorch.Tensor offset) {
    if (offset == null) {
      torch.mv_out(part, matrix, vector);
    } else {
      torch.addmv_out(part, offset, matrix, vector);
    }
  }

  private static void pair(
      org.bytedeco.pytorch.Tensor part,
      org.bytedeco.pytorch.Tensor matrix,
      org.bytedeco.pytorch.Tensor pair,
      org.bytedeco.pytorch.Tensor offset) {
    var both = offset == null ? torch.mm(pair, matrix.t()) : torch.addmm(offset, pair, matrix.t());
    part.copy_(both.select(0, 0));
  }
}
