package dev.jformer.compress.quantize;

import dev.jformer.nn.ForwardHook;
import dev.jformer.nn.Identity;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Module;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Simulated static quantization of weights and activations to 8 bits (W8A8), with which <a
 * href="https://arxiv.org/abs/2306.12929">Quantizable Transformers: Removing Outliers by Helping
 * Attention Heads Do Nothing</a> compares models. Numbers are rounded to the integers' values and
 * stay floats. Each tensor has one scale. Weights are symmetric; activations are asymmetric, with
 * the ranges seen while calibrating. Quantized are the weights of linear layers, and the outputs of
 * linear layers, norms, and the two halves of each block; not the output layer, nor the inside of
 * attention (which the paper quantizes too).
 *
 * <p>The model is changed until this is closed; then it is restored.
 */
public final class StaticQuantization implements AutoCloseable {
  private static final int LEVELS = 255;
  private static final int WEIGHT_LIMIT = 127;

  private final Module model;
  private final Map<String, Layer> originals = new LinkedHashMap<>();

  private StaticQuantization(Module model) {
    this.model = model;
  }

  /**
   * The smallest and the largest value of a tensor.
   *
   * @param low at most 0 once zero counts as seen
   * @param high at least 0 once zero counts as seen
   */
  record Range(double low, double high) {
    Range and(Range other) {
      return new Range(Math.min(low, other.low), Math.max(high, other.high));
    }

    /** The value of one step of the integers. */
    double scale() {
      double span = Math.max(high, 0) - Math.min(low, 0);
      return span > 0 ? span / LEVELS : 1;
    }

    /** The integer that represents zero, 0 to 255. */
    long zeroPoint() {
      return Math.round(Math.max(0, Math.min(LEVELS, -Math.min(low, 0) / scale())));
    }
  }

  /**
   * Quantizes a model.
   *
   * @param calibration runs the model on representative data
   * @throws IllegalArgumentException if calibration did not run the model, or led to numbers that
   *     are not finite; the model is then unchanged
   */
  public static StaticQuantization of(Module model, Runnable calibration) {
    Map<String, Range> ranges = new LinkedHashMap<>();
    boolean training = model.isTraining();
    model.train(false);
    try (Mode mode = Autograd.noGrad();
        Scope scope = Scope.open();
        ForwardHook hook =
            ForwardHook.on(
                model,
                name -> isQuantized(name, model.modules().get(name)),
                seen ->
                    ranges.merge(
                        seen.layer(),
                        new Range(seen.output().min().item(), seen.output().max().item()),
                        Range::and))) {
      calibration.run();
    } finally {
      model.train(training);
    }
    if (ranges.isEmpty()) {
      throw new IllegalArgumentException("the calibration data is empty: the model did not run");
    }
    ranges.forEach(
        (name, range) -> {
          if (!Double.isFinite(range.low) || !Double.isFinite(range.high)) {
            throw new IllegalArgumentException(
                "calibrating, the layer "
                    + name
                    + " gave numbers from "
                    + range.low
                    + " to "
                    + range.high
                    + ": the model or the data is damaged");
          }
        });
    StaticQuantization quantization = new StaticQuantization(model);
    ranges.forEach(
        (name, range) -> {
          Layer layer = (Layer) model.modules().get(name);
          quantization.originals.put(name, layer);
          model.replace(name, new Rounded(layer, range));
        });
    return quantization;
  }

  private static boolean isQuantized(String name, Module module) {
    boolean residual =
        module instanceof Identity && (name.endsWith(".mixed") || name.endsWith(".output"));
    // Where a stack has no norm, an Identity stands in its place: what it passes on stays as it is.
    boolean norm =
        module instanceof Layer
            && !(module instanceof Identity)
            && name.matches("(.*\\.)?(norm|\\w+Norm)");
    return residual || norm || (module instanceof Linear && !name.equals("head"));
  }

  /** Restores the layers and releases the quantized weights. */
  @Override
  public void close() {
    originals.forEach((name, layer) -> ((Rounded) model.replace(name, layer)).release());
  }

  /** Rounds {@code x} to the values of 8-bit integers in this range. */
  static Tensor rounded(Tensor x, Range range) {
    return FakeQuantize.OPERATOR.call(x, range.scale(), range.zeroPoint(), 0L, (long) LEVELS);
  }

  /** Rounds a weight to a symmetric 8-bit grid. */
  static Tensor rounded(Tensor weight) {
    double largest = weight.abs().max().item();
    double scale = largest > 0 ? largest / WEIGHT_LIMIT : 1;
    return FakeQuantize.OPERATOR.call(weight, scale, 0L, (long) -WEIGHT_LIMIT, (long) WEIGHT_LIMIT);
  }

  private static final class FakeQuantize {
    static final Operator OPERATOR = Operator.named("aten::fake_quantize_per_tensor_affine");
  }

  /** A layer whose weight, if it is linear, and output are rounded. */
  private static final class Rounded extends Layer {
    private final Layer layer;
    private final Range range;
    private final boolean owned;

    Rounded(Layer original, Range range) {
      this.range = range;
      this.owned = original instanceof Linear;
      this.layer = original instanceof Linear linear ? rounded(linear) : original;
    }

    private static Linear rounded(Linear linear) {
      try (Scope scope = Scope.open();
          Mode mode = Autograd.noGrad()) {
        Tensor weight = StaticQuantization.rounded(linear.weight().value().detach());
        return new Linear(
            weight, linear.bias() == null ? null : linear.bias().value().detach().copy());
      }
    }

    @Override
    public Tensor forward(Tensor x) {
      return StaticQuantization.rounded(layer.forward(x), range);
    }

    void release() {
      if (owned) {
        layer.close();
      }
    }
  }
}
