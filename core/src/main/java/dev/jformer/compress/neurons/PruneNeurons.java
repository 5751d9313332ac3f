package dev.jformer.compress.neurons;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Prunes hidden units of a model's perceptrons, in one shot and without retraining. The result is a
 * smaller model of plain layers.
 *
 * @param share share of each perceptron's units that is removed, if {@code hidden} is empty
 * @param hidden number of units that each perceptron keeps; empty to use {@code share}
 * @param rule the rule by which units are chosen
 */
@AutoService(Compression.class)
public record PruneNeurons(double share, List<Integer> hidden, NeuronRule rule)
    implements Compression {
  /** Defaults: removes the smallest tenth of the units. */
  public PruneNeurons() {
    this(0.1, List.of(), new MagnitudeNeurons());
  }

  /** Checks the values. */
  public PruneNeurons {
    hidden = List.copyOf(hidden);
    if (!(share >= 0 && share < 1)) {
      throw new IllegalArgumentException(
          "share is " + share + ": expected the share of units to remove, in [0, 1)");
    }
    if (hidden.stream().anyMatch(count -> count < 1)) {
      throw new IllegalArgumentException(
          "hidden is " + hidden + ": expected at least 1 unit in each perceptron");
    }
    if (rule == null) {
      throw new IllegalArgumentException("rule is null: expected a rule such as magnitude");
    }
  }

  @Override
  public String type() {
    return "prune-neurons";
  }

  @Override
  public Needs needs() {
    return Needs.NOTHING;
  }

  @Override
  public Model apply(Model model, CalibrationData calibration) {
    return chosen(model).applied(model);
  }

  /** Chooses the units of a model that stay; the mask also fits other models of the same shape. */
  public NeuronMask chosen(Model model) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Map<String, HiddenUnits> layers = HiddenUnits.of(type(), model);
      Map<String, Integer> counts = counts(layers);
      Map<String, double[]> scores = new LinkedHashMap<>();
      layers.forEach(
          (name, units) -> scores.put(name, rule.scores(units.in(), units.out(), scores.size())));
      return NeuronMask.highest(scores, counts);
    }
  }

  private Map<String, Integer> counts(Map<String, HiddenUnits> layers) {
    if (!hidden.isEmpty() && hidden.size() != layers.size()) {
      throw new IllegalArgumentException(
          "hidden has "
              + hidden.size()
              + " entries: expected one for each of the model's "
              + layers.size()
              + " perceptrons");
    }
    Map<String, Integer> counts = new LinkedHashMap<>();
    layers.forEach(
        (name, units) -> {
          int all = units.count();
          int count = hidden.isEmpty() ? kept(all, share) : hidden.get(counts.size());
          if (count > all) {
            throw new IllegalArgumentException(
                "hidden has " + count + " for " + name + ", which has " + all + " units");
          }
          counts.put(name, count);
        });
    return counts;
  }

  /** Number of units that stay of {@code all}; at least one. */
  static int kept(int all, double share) {
    return Math.max(1, all - (int) Math.floor(share * all + 1e-6));
  }
}
