package dev.jformer.compress.neurons;

import dev.jformer.compress.prune.Magnitude;
import dev.jformer.compress.prune.Masks;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * A mask of hidden units that says which units of a model's perceptrons stay, as {@link Masks} do
 * for weights. Applying it gives a smaller ordinary model.
 *
 * @param kept indices of the units that stay, in rising order, by the perceptrons' dotted names in
 *     the model's order
 * @param of number of units of each perceptron
 */
public record NeuronMask(Map<String, long[]> kept, Map<String, Integer> of) {
  /** Number of hidden units of each perceptron of a model, by its dotted name. */
  public static Map<String, Integer> counts(Model model) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Map<String, Integer> counts = new LinkedHashMap<>();
      HiddenUnits.of("pruning of neurons", model)
          .forEach((name, units) -> counts.put(name, units.count()));
      return counts;
    }
  }

  /**
   * Keeps the units with the highest scores in each perceptron; of equal ones, the first.
   *
   * @param scores of the units, by the perceptrons' names
   * @param counts number of units that each keeps, at least 1
   */
  static NeuronMask highest(Map<String, double[]> scores, Map<String, Integer> counts) {
    Map<String, long[]> kept = new LinkedHashMap<>();
    Map<String, Integer> of = new LinkedHashMap<>();
    scores.forEach(
        (name, score) -> {
          of.put(name, score.length);
          kept.put(
              name,
              IntStream.range(0, score.length)
                  .boxed()
                  .sorted(Comparator.comparingDouble(unit -> -score[unit]))
                  .limit(counts.get(name))
                  .mapToLong(unit -> unit)
                  .sorted()
                  .toArray());
        });
    return new NeuronMask(kept, of);
  }

  /**
   * Draws units of all perceptrons together, all equally likely, so that perceptrons keep different
   * shares; each keeps at least one.
   *
   * @param counts numbers of units, by the perceptrons' names
   * @param sparsity the share of units that is removed
   */
  public static NeuronMask drawn(
      Map<String, Integer> counts, double sparsity, SplittableRandom random) {
    Magnitude.checkSparsity(sparsity);
    List<String> names = List.copyOf(counts.keySet());
    int all = counts.values().stream().mapToInt(count -> count).sum();
    int staying = Math.max(names.size(), (int) Math.round((1 - sparsity) * all));
    int[] layer = new int[all];
    int[] unit = new int[all];
    for (int i = 0, at = 0; i < names.size(); i++) {
      for (int u = 0; u < counts.get(names.get(i)); u++, at++) {
        layer[at] = i;
        unit[at] = u;
      }
    }
    int[] order = RandomNeurons.shuffled(all, random);
    boolean[] stays = new boolean[all];
    boolean[] has = new boolean[names.size()];
    for (int place : order) { // one of each perceptron first
      if (!has[layer[place]]) {
        has[layer[place]] = true;
        stays[place] = true;
        staying--;
      }
    }
    for (int place : order) {
      if (staying > 0 && !stays[place]) {
        stays[place] = true;
        staying--;
      }
    }
    Map<String, long[]> kept = new LinkedHashMap<>();
    for (int i = 0; i < names.size(); i++) {
      int number = i;
      kept.put(
          names.get(i),
          IntStream.range(0, all)
              .filter(place -> layer[place] == number && stays[place])
              .mapToLong(place -> unit[place])
              .toArray());
    }
    return new NeuronMask(kept, counts);
  }

  /** Number of units that each perceptron keeps. */
  public List<Integer> widths() {
    return kept.values().stream().map(units -> units.length).toList();
  }

  /** The share of units that is kept. */
  public double density() {
    double all = of.values().stream().mapToInt(count -> count).sum();
    return kept.values().stream().mapToInt(units -> units.length).sum() / all;
  }

  /**
   * Creates a copy of a model, in inference mode, with only the units that are kept.
   *
   * @throws IllegalArgumentException if the model has other numbers of units
   */
  public Model applied(Model model) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Map<String, HiddenUnits> layers = HiddenUnits.of("pruning of neurons", model);
      Map<String, Integer> counts = new LinkedHashMap<>();
      layers.forEach((name, units) -> counts.put(name, units.count()));
      if (!counts.equals(of)) {
        throw new IllegalArgumentException(
            "the mask is for perceptrons with "
                + of
                + " units, but the model has "
                + counts
                + ": use a mask of this model");
      }
      layers.replaceAll((name, units) -> units.chosen(kept.get(name)));
      return HiddenUnits.applied(model, layers);
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof NeuronMask neurons
        && of.equals(neurons.of)
        && kept.keySet().equals(neurons.kept.keySet())
        && kept.entrySet().stream()
            .allMatch(each -> Arrays.equals(each.getValue(), neurons.kept.get(each.getKey())));
  }

  @Override
  public int hashCode() {
    return kept.values().stream().mapToInt(Arrays::hashCode).reduce(1, (a, b) -> 31 * a + b);
  }
}
