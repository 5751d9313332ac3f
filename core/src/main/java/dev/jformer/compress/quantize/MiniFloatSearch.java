package dev.jformer.compress.quantize;

import dev.jformer.nn.quantized.MiniFloat;
import dev.jformer.nn.quantized.MiniFloatLinear;
import dev.jformer.nn.quantized.MiniFloatQuantizer;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * Searches the formats and steps of a linear layer, as LLM-FP4 does (<a
 * href="https://arxiv.org/abs/2310.16836">LLM-FP4: 4-Bit Floating-Point Quantized
 * Transformers</a>): those with the least squared error of the layer's output.
 *
 * <p>Candidates are ranges: fractions of the largest value seen, up to twice that, because the bias
 * of a pre-shifted layer determines the fractional part of all channels' biases and so needs an
 * octave to choose from without clipping a channel. The authors' code tries fractions of the
 * exponent's bias instead, which depend on the unit of the numbers; both shift the same grid, but
 * reach other ranges of it: over 30 layers our search ended with 0.73 to 1.21 times the error of
 * theirs. The search alternates: for fixed activations it finds the step of each row of the weight,
 * in the format that is best for all rows together; for fixed weights it finds the activations'
 * step and format; until nothing changes. The previous result is always among the candidates, so
 * the error never grows.
 */
final class MiniFloatSearch {
  private static final double WIDEST = 2;

  /**
   * The result of a search.
   *
   * @param weights with steps [out, 1]
   * @param activations with the layer's step [1]
   * @param shifts k, float32 [in]; null unless they are pre-shifted
   */
  record Found(MiniFloatQuantizer weights, MiniFloatQuantizer activations, Tensor shifts) {
    /** The quantizer of activations in the unfolded form. */
    MiniFloatQuantizer explicit() {
      return shifts == null ? activations : activations.shifted(shifts);
    }
  }

  private final LlmFp4 method;
  private final Tensor weight;
  private final Tensor x;
  private final double[] largest;
  private final Tensor rowLargest;

  /**
   * Creates a search.
   *
   * @param weight [out, in] float32
   * @param x a sample of the layer's inputs, [N, in] float32
   * @param largest the largest absolute value of each channel in all inputs, [in]
   */
  MiniFloatSearch(LlmFp4 method, Tensor weight, Tensor x, Tensor largest) {
    this.method = method;
    this.weight = weight;
    this.x = x;
    this.largest = largest.toDoubles();
    this.rowLargest = weight.abs().max(1, true);
  }

  /** Finds formats and steps; without a search if the method's kind has none. */
  Found find() {
    Found found = first();
    for (int round = 0; method.searches() && round < method.rounds(); round++) {
      Found before = found;
      found = betterWeights(found, method.weightFormats());
      found = betterActivations(found, method.activationFormats());
      if (same(before, found)) {
        break;
      }
    }
    return found;
  }

  /** The start of the search: the usual formats, and the ranges of the values seen. */
  Found first() {
    MiniFloat format = first(method.weightFormats());
    Found activations = activations(first(method.activationFormats()), 1);
    return new Found(
        new MiniFloatQuantizer(format, steps(format)),
        activations.activations(),
        activations.shifts());
  }

  private static MiniFloat first(List<MiniFloat> formats) {
    MiniFloat usual = MiniFloat.usual(formats.get(0).bits());
    return formats.contains(usual) ? usual : formats.get(0);
  }

  private static boolean same(Found a, Found b) {
    return a.weights().format().equals(b.weights().format())
        && a.activations().format().equals(b.activations().format())
        && a.weights().step().sameAs(b.weights().step())
        && a.activations().step().sameAs(b.activations().step());
  }

  /** Fractions of the largest value: the one seen, and {@link LlmFp4#candidates} others. */
  private double[] fractions() {
    double[] fractions = new double[method.candidates() + 1];
    fractions[0] = 1;
    for (int i = 1; i < fractions.length; i++) {
      fractions[i] = WIDEST * i / method.candidates();
    }
    return fractions;
  }

  /** The step of each row of the weight such that its largest value is the format's: [out, 1]. */
  private Tensor steps(MiniFloat format) {
    Tensor steps = rowLargest.div(Tensor.of(new float[] {(float) format.largest()}, 1));
    return steps.maskedFill(rowLargest.eq(0.0), 1);
  }

  /**
   * Finds the step of each row with the least error of the output.
   *
   * <p>With {@code d = ŵ - w} the error of a row is {@code |X̂ŵ - Xw|² = |X̂d + (X̂ - X)w|²}, of
   * which {@code dᵀ(X̂ᵀX̂)d + 2 dᵀX̂ᵀ(X̂ - X)w} depends on the step. The two matrices [in, in] are
   * computed once, so evaluating a candidate does not need the data.
   */
  private Found betterWeights(Found found, List<MiniFloat> formats) {
    Tensor rounded = found.explicit().round(x);
    Tensor square = rounded.t().matmul(rounded);
    Tensor cross = weight.matmul(rounded.sub(x).t().matmul(rounded));
    MiniFloatQuantizer best = null;
    double least = Double.POSITIVE_INFINITY;
    for (MiniFloat format : formats) {
      Tensor seen = steps(format);
      Tensor steps = seen.copy();
      Tensor errors = Tensor.full(Double.POSITIVE_INFINITY, seen.dtype(), seen.size(0), 1);
      for (double fraction : fractions()) {
        try (Scope scope = Scope.open()) {
          Tensor candidate = seen.mul(fraction);
          Tensor off = new MiniFloatQuantizer(format, candidate).round(weight).sub(weight);
          Tensor error = off.mul(off.matmul(square).add(cross, 2)).sum(1, true);
          Tensor better = error.lt(errors);
          steps.copy_(candidate.where(better, steps));
          errors.copy_(error.where(better, errors));
        }
      }
      double total = errors.sum().item();
      if (total < least) {
        least = total;
        best = new MiniFloatQuantizer(format, steps);
      }
    }
    return new Found(best, found.activations(), found.shifts());
  }

  private Found betterActivations(Found found, List<MiniFloat> formats) {
    Tensor rounded = found.weights().round(weight);
    Tensor rest = x.matmul(rounded.sub(weight).t());
    double least = Double.POSITIVE_INFINITY;
    MiniFloat bestFormat = null;
    double bestFraction = 1;
    for (MiniFloat format : formats) {
      for (double fraction : fractions()) {
        try (Scope scope = Scope.open()) {
          Tensor off = activations(format, fraction).explicit().round(x).sub(x);
          double error = off.matmul(rounded.t()).add(rest).square().sum().item();
          if (error < least) {
            least = error;
            bestFormat = format;
            bestFraction = fraction;
          }
        }
      }
    }
    if (bestFormat == null) {
      throw new IllegalArgumentException(
          "the outputs of a layer are not finite: expected weights and inputs of ordinary size");
    }
    Found activations = activations(bestFormat, bestFraction);
    return new Found(found.weights(), activations.activations(), activations.shifts());
  }

  /** The quantizer of activations for a range that is a fraction of the largest value. */
  private Found activations(MiniFloat format, double fraction) {
    Tensor step = Tensor.of(new float[] {(float) layerStep(format, fraction)}, 1);
    return new Found(null, new MiniFloatQuantizer(format, step), shifts(format, fraction));
  }

  private double layerStep(MiniFloat format, double fraction) {
    double most = 0;
    for (double value : largest) {
      most = Math.max(most, value);
    }
    return fraction * format.step(most);
  }

  /**
   * The integer parts of the channels' exponent biases, beyond that of the layer: {@code
   * clamp(⌊b_j⌉ - ⌊b⌉, 0, 2^E - 1)} where b_j is the bias with which channel j's largest value is
   * the format's, and b the layer's; null unless they are pre-shifted.
   */
  private Tensor shifts(MiniFloat format, double fraction) {
    if (method.kind() != MiniFloatLinear.Kind.PRE_SHIFTED) {
      return null;
    }
    double layer = Math.rint(bias(format, layerStep(format, fraction)));
    float[] shifts = new float[largest.length];
    for (int j = 0; j < shifts.length; j++) {
      // A channel that is always zero could have any bias.
      double channel = largest[j] == 0 ? layer : Math.rint(bias(format, format.step(largest[j])));
      shifts[j] = (float) Math.max(0, Math.min(channel - layer, format.widestShift()));
    }
    return Tensor.of(shifts, shifts.length);
  }

  private static double bias(MiniFloat format, double step) {
    return 1 - format.mantissa() - Math.log(step) / Math.log(2);
  }
}
