package dev.jformer.adapt;

import dev.jformer.nn.Layer;
import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Tensor;

/** The trained update of one matrix of a layer; see {@link AdaptedLayer}. */
public final class LowRankUpdate extends Module {
  private final long start;
  private final double scale;
  private final Parameter a;
  private final Parameter b;
  private final Parameter magnitude;
  private final Parameter gain;
  private final Parameter shift;
  private final Parameter startA;
  private final Parameter startB;

  /**
   * Declares the factors.
   *
   * @param start the first row that is updated
   * @param subtracted whether the initial update was taken out of the frozen weight; it is then
   *     kept too
   */
  LowRankUpdate(long start, LowRankFactors values, boolean subtracted) {
    this.start = start;
    this.scale = values.scale();
    boolean empty = values.rank() == 0;
    this.a = empty ? buffer("a", values.a().copy()) : parameter("a", values.a().copy());
    this.b = empty ? buffer("b", values.b().copy()) : parameter("b", values.b().copy());
    this.magnitude =
        values.magnitude() == null ? null : parameter("magnitude", values.magnitude().copy());
    AffineChange affine = values.affine();
    this.gain =
        affine == null || affine.gain() == null ? null : parameter("gain", affine.gain().copy());
    this.shift = affine == null ? null : parameter("shift", affine.shift().copy());
    this.startA = subtracted ? buffer("startA", values.a().copy()) : null;
    this.startB = subtracted ? buffer("startB", values.b().copy()) : null;
  }

  /** The first row of the layer that is updated. */
  public long start() {
    return start;
  }

  /** The number of rows that are updated. */
  public long rows() {
    return b.value().size(0);
  }

  /** The rank r. */
  public int rank() {
    return Math.toIntExact(a.value().size(0));
  }

  /** The factor of B A. */
  public double scale() {
    return scale;
  }

  /** A, [r, in]. */
  public Parameter a() {
    return a;
  }

  /** B, [rows, r]. */
  public Parameter b() {
    return b;
  }

  /** DoRA's norms of the rows, [rows]; null for a plain update. */
  public Parameter magnitude() {
    return magnitude;
  }

  /** The change a of the factor 1 of each row's output, [rows]; null for none. */
  public Parameter gain() {
    return gain;
  }

  /** What is added to each row's output, [rows]; null for an update without an affine change. */
  public Parameter shift() {
    return shift;
  }

  /**
   * The update relative to the original weight. Where the initial update was taken out of the
   * frozen weight, it has twice the rank: {@code [B, -B₀] [A; A₀]}.
   */
  public LowRankFactors difference() {
    Tensor norms = magnitude == null ? null : magnitude.value().detach();
    Tensor down = a.value().detach();
    Tensor up = b.value().detach();
    if (startA == null) {
      AffineChange affine =
          shift == null
              ? null
              : new AffineChange(
                  gain == null ? null : gain.value().detach(), shift.value().detach());
      return new LowRankFactors(down, up, scale, norms, affine);
    }
    return new LowRankFactors(
        Tensor.cat(0, down, startA.value()), Tensor.cat(1, up, startB.value().neg()), scale, norms);
  }

  /**
   * The updated rows of the weight, [rows, in].
   *
   * @param frozen these rows of the frozen weight, [rows, in]
   */
  Tensor updated(Tensor frozen) {
    Tensor sum = frozen.add(b.value().detach().matmul(a.value().detach()), scale);
    return magnitude == null
        ? sum
        : sum.mul(magnitude.value().detach().div(norms(sum)).unsqueeze(1));
  }

  /** Adds the initial update to a weight that it was taken out of. */
  void restore(Layer frozen) {
    if (startA != null) {
      Tensor rows = FrozenWeight.of(frozen).matrix().narrow(0, start, rows());
      rows.add_(startB.value().matmul(startA.value()), scale);
    }
  }

  /** The norms of a matrix's rows. */
  static Tensor norms(Tensor matrix) {
    return matrix.square().sum(1, false).sqrt();
  }
}
