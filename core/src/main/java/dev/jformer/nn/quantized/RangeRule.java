package dev.jformer.nn.quantized;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.config.Part;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/** A rule that chooses the quantization range of a layer's activations. */
public interface RangeRule extends Part {
  /**
   * Chooses the grid.
   *
   * @param symmetric whether the integer 0 represents 0
   */
  UniformGrid choose(CalibratedLayer seen, int bits, boolean symmetric);

  /** The range from the smallest to the largest value seen: nothing is clipped. */
  @AutoService(RangeRule.class)
  record MinMax() implements RangeRule {
    @Override
    public String type() {
      return "min-max";
    }

    @Override
    public UniformGrid choose(CalibratedLayer seen, int bits, boolean symmetric) {
      return UniformGrid.of(seen.low(), seen.high(), bits, symmetric);
    }
  }

  /**
   * A percentile: of N values up to {@code floor((1 - share) N)} may lie above the range, and as
   * many below; a symmetric range is chosen by absolute values.
   *
   * @param share share of the values, more than 0.5 and at most 1
   */
  @AutoService(RangeRule.class)
  record Percentile(double share) implements RangeRule {
    /** Default: 99.9 %. */
    public Percentile() {
      this(0.999);
    }

    /** Checks the values. */
    public Percentile {
      if (!(share > 0.5 && share <= 1)) {
        throw new IllegalArgumentException(
            "share is " + share + ": expected more than 0.5 and at most 1");
      }
    }

    @Override
    public String type() {
      return "percentile";
    }

    @Override
    public UniformGrid choose(CalibratedLayer seen, int bits, boolean symmetric) {
      try (Scope scope = Scope.open()) {
        Tensor all = seen.rows().reshape(-1);
        if (symmetric) {
          double limit = largest(all.abs());
          return UniformGrid.of(-limit, limit, bits, true);
        }
        return UniformGrid.of(-largest(all.neg()), largest(all), bits, false);
      }
    }

    /** The largest value within the range. */
    private double largest(Tensor all) {
      int out = (int) Math.floor((1 - share) * all.elements() + 1e-9);
      return all.topK(out + 1, 0).values().narrow(0, out, 1).item();
    }
  }

  /** The error that a search minimises. */
  enum Target {
    /** The squared error of the activations. */
    MSE,
    /**
     * The squared error of the layer's output. EasyQuant (<a
     * href="https://arxiv.org/abs/2006.16669">EasyQuant: Post-training Quantization via Scale
     * Optimization</a>) compares outputs too, but by their cosine, which does not see a wrong
     * scale, and searches the scales of weights and activations in turns; here weights keep the
     * range of their rows.
     */
    OUTPUT
  }

  /**
   * Tries fractions of the range seen, 1 first, and takes the one with the smallest error on the
   * calibration data.
   *
   * @param target the error to minimise
   * @param candidates number of fractions: 1/candidates, 2/candidates, … 1
   */
  @AutoService(RangeRule.class)
  record Search(Target target, int candidates) implements RangeRule {
    /** Defaults: a hundred fractions, by the output's error. */
    public Search() {
      this(Target.OUTPUT, 100);
    }

    /** Checks the values. */
    public Search {
      if (target == null) {
        throw new IllegalArgumentException("target is null: expected mse or output");
      }
      Checks.atLeast("candidates", candidates, 1);
    }

    @Override
    public String type() {
      return "search";
    }

    @Override
    public UniformGrid choose(CalibratedLayer seen, int bits, boolean symmetric) {
      UniformGrid best = null;
      double least = Double.POSITIVE_INFINITY;
      for (int i = candidates; i >= 1; i--) {
        double fraction = (double) i / candidates;
        UniformGrid grid =
            UniformGrid.of(fraction * seen.low(), fraction * seen.high(), bits, symmetric);
        try (Scope scope = Scope.open()) {
          Tensor rounded = grid.rounded(seen.rows());
          double error = target == Target.MSE ? seen.error(rounded) : seen.outputError(rounded);
          if (best == null || error < least) {
            least = error;
            best = grid;
          }
        }
      }
      return best;
    }
  }
}
