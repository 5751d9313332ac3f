package dev.jformer.compress.neurons;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;

/**
 * Iterative Feature Merging (IFM) of <a href="https://arxiv.org/abs/2310.06756">Going Beyond Neural
 * Network Feature Similarity: The Network Feature Complexity and Its Interpretation Using Category
 * Theory</a>. In each perceptron the two hidden units that are nearest in weight space become one,
 * again and again, until the nearest are farther apart than a share of the largest distance. No
 * data is looked at and nothing is trained; the result is a smaller model of plain layers. How many
 * features are left is the <em>complexity</em> of a layer.
 *
 * <p>As in the authors' code, the distance of two units is the squared Euclidean distance of their
 * incoming and outgoing weights together; distances are computed again after each merge; and
 * averages weight a unit by the number of units it consists of. These details differ: the authors'
 * networks have ReLUs and batch norms, incoming weights are summed and outgoing ones averaged, and
 * biases are not compared. Here incoming weights are averaged and outgoing ones summed, which is
 * the same for ReLUs and, for any activation, does not change a network when equal units are
 * merged; a bias counts as one of the weights. If a factor can be moved through the activation
 * (ReLU, its square, and the linear half of a gated perceptron), units that differ by a factor are
 * equal: lengths of incoming weights are moved to the outgoing ones before units are merged, a mean
 * direction is scaled to length 1, and distances are between units whose length is shared evenly.
 *
 * <p>Features are hidden units of perceptrons. The residual stream and attention heads have the
 * same width in all layers, so features of a single layer cannot be removed there.
 *
 * @param threshold β, the largest squared distance of two units that are merged, as a share of that
 *     of the two farthest apart in the layer; 1 for no bound
 * @param most the largest share of a layer's units that are removed by merging
 */
@AutoService(Compression.class)
public record Ifm(double threshold, double most) implements Compression {
  /** Defaults: a threshold of a tenth of the largest distance. */
  public Ifm() {
    this(0.1, 1);
  }

  /** Checks the values. */
  public Ifm {
    if (!(threshold >= 0 && threshold <= 1)) {
      throw new IllegalArgumentException(
          "threshold is " + threshold + ": expected a share of the largest distance, in [0, 1]");
    }
    if (!(most >= 0 && most <= 1)) {
      throw new IllegalArgumentException(
          "most is " + most + ": expected the largest share of units to merge away, in [0, 1]");
    }
  }

  @Override
  public String type() {
    return "ifm";
  }

  @Override
  public Needs needs() {
    return Needs.NOTHING;
  }

  @Override
  public Model apply(Model model, CalibrationData calibration) {
    return apply(model, calibration, done -> {});
  }

  @Override
  public Model apply(Model model, CalibrationData calibration, DoubleConsumer progress) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Map<String, HiddenUnits> merged = new LinkedHashMap<>();
      ModelRebuilder.each(
          HiddenUnits.of(type(), model),
          progress,
          (name, units) -> merged.put(name, merged(units)));
      return HiddenUnits.applied(model, merged);
    }
  }

  private HiddenUnits merged(HiddenUnits units) {
    return new FeatureMerging(units).merged(threshold, PruneNeurons.kept(units.count(), most));
  }

  /**
   * Computes the complexity of each layer, the number of features left, from first layer to last.
   */
  public List<Integer> complexity(Model model) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      List<Integer> left = new ArrayList<>();
      HiddenUnits.of(type(), model).values().forEach(units -> left.add(merged(units).count()));
      return left;
    }
  }
}
