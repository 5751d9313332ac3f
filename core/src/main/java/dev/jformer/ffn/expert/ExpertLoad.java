package dev.jformer.ffn.expert;

import dev.jformer.nn.Module;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The load of a model's experts.
 *
 * @param layers by their dotted names, first to last
 */
public record ExpertLoad(Map<String, Layer> layers) {
  /**
   * The load of the experts of one layer.
   *
   * @param shares the share of each expert in all pairs of a token and an expert
   * @param perToken experts that work on a token, on average
   * @param dropped share of the pairs that were dropped
   * @param entropy of the gate, mean over tokens, in nats; NaN if the gate gives no probabilities
   */
  public record Layer(List<Double> shares, double perToken, double dropped, double entropy) {
    /** The share of the busiest expert as a multiple of an equal one. */
    public double busiest() {
      return shares.size() * shares.stream().mapToDouble(Double::doubleValue).max().orElseThrow();
    }
  }

  /**
   * Measures the load while a model runs.
   *
   * @throws IllegalArgumentException if the model has no experts, or does not run them
   */
  public static ExpertLoad of(Module model, Runnable run) {
    Map<String, List<Routing>> seen = new LinkedHashMap<>();
    Map<String, List<Double>> entropies = new LinkedHashMap<>();
    List<Experts> watched = new ArrayList<>();
    model
        .modules()
        .forEach(
            (name, module) -> {
              if (module instanceof Experts experts) {
                seen.put(name, new ArrayList<>());
                entropies.put(name, new ArrayList<>());
                watched.add(experts);
                experts.watch(
                    routing -> {
                      seen.get(name).add(routing);
                      entropies.get(name).add(routing.entropy());
                    });
              }
            });
    try {
      run.run();
    } finally {
      watched.forEach(experts -> experts.watch(null));
    }
    if (seen.isEmpty() || seen.values().stream().anyMatch(List::isEmpty)) {
      throw new IllegalArgumentException(
          "no layer of experts has run: expected a run of a model with 'experts'");
    }
    Map<String, Layer> layers = new LinkedHashMap<>();
    seen.forEach((name, routings) -> layers.put(name, layer(routings, entropies.get(name))));
    return new ExpertLoad(layers);
  }

  private static Layer layer(List<Routing> routings, List<Double> entropies) {
    long[] wanted = new long[routings.get(0).experts()];
    long pairs = 0;
    long tokens = 0;
    for (Routing routing : routings) {
      long[] each = routing.wanted();
      Arrays.setAll(wanted, e -> wanted[e] + each[e]);
      pairs += routing.pairs();
      tokens += routing.tokens();
    }
    double all = Arrays.stream(wanted).sum();
    double entropy = 0;
    for (int i = 0; i < routings.size(); i++) {
      entropy += entropies.get(i) * routings.get(i).tokens() / tokens;
    }
    return new Layer(
        Arrays.stream(wanted).mapToObj(count -> count / all).toList(),
        (double) pairs / tokens,
        1 - pairs / all,
        entropy);
  }

  /** The shares of the experts in descending order, mean over the layers. */
  public List<Double> sharesInOrder() {
    List<List<Double>> sorted =
        layers.values().stream()
            .map(layer -> layer.shares().stream().sorted(Comparator.reverseOrder()).toList())
            .toList();
    return IntStream.range(0, sorted.get(0).size())
        .mapToObj(e -> sorted.stream().mapToDouble(shares -> shares.get(e)).sum() / sorted.size())
        .toList();
  }

  /** Experts that work on a token, mean over the layers. */
  public double perToken() {
    return layers.values().stream().mapToDouble(Layer::perToken).average().orElse(Double.NaN);
  }

  /** The share of the busiest expert as a multiple of an equal one, mean over the layers. */
  public double busiest() {
    return layers.values().stream().mapToDouble(Layer::busiest).average().orElse(Double.NaN);
  }
}
