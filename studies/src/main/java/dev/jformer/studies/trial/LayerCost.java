package dev.jformer.studies.trial;

import static dev.jformer.studies.Column.column;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Measured.Cell;
import dev.jformer.studies.Measured.Curve;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/**
 * Measures how the time and memory of token mixers grow with the sequence length: one layer,
 * forward and backward on one sequence, in training.
 *
 * @param width D of the layer
 * @param sizes numbers of tokens, in ascending order
 */
public record LayerCost(int width, List<Integer> sizes) {
  /** Measures the mixers of arms in turns. */
  public Measured<Cost> measure(
      ExperimentContext context, Arms<TokenMixer.Config> mixers, boolean causal) {
    Map<String, TokenMixer.Config> all = mixers.settings();
    String name = "cost of " + String.join(", ", all.keySet()) + (causal ? "" : ", both ways");
    return context.measureTogether(name, Cost.class, progress -> of(all, causal));
  }

  private Map<String, Cost> of(Map<String, TokenMixer.Config> mixers, boolean causal) {
    List<TokenMixer> layers = new ArrayList<>();
    Map<String, IntFunction<Runnable>> work = new LinkedHashMap<>();
    mixers.forEach(
        (name, mixer) ->
            work.put(
                name,
                tokens -> {
                  TokenMixer layer = Small.mixer(mixer, width, tokens, causal);
                  layers.add(layer);
                  return bothWays(layer, tokens);
                }));
    try {
      return Cost.measure(sizes.stream().mapToInt(Integer::intValue).toArray(), work);
    } finally {
      layers.forEach(TokenMixer::close);
    }
  }

  private Runnable bothWays(TokenMixer layer, int tokens) {
    Tensor x = Tensor.randn(1, tokens, width);
    Tensor g = Tensor.randn(1, tokens, width);
    x.requiresGrad(true);
    return () -> {
      layer.clearGrads();
      x.clearGrad();
      layer.forward(x, null).backward(g);
    };
  }

  /**
   * Adds a table and two figures to the report, with exponents fitted to sizes of at least {@code
   * from}.
   */
  public void report(ExperimentContext context, Measured<Cost> costs, int from) {
    int last = sizes.size() - 1;
    context.table(
        costs.table(
            "A layer of width "
                + width
                + ", forward and backward on one sequence; exponents from "
                + from
                + " to "
                + sizes.get(last)
                + " tokens",
            "mixer",
            column("exponent of time", cost -> cost.timeExponent(from)),
            column("exponent of memory", cost -> cost.memoryExponent(from)),
            column("ms, " + sizes.get(0) + " tokens", cost -> ms(cost, 0)),
            column("ms, " + sizes.get(last) + " tokens", cost -> ms(cost, last)),
            column("MB, " + sizes.get(last) + " tokens", cost -> megabytes(cost, last))));
    figures(context, costs);
  }

  private static double ms(Cost cost, int size) {
    return size < cost.points().size() ? 1e3 * cost.points().get(size).seconds() : Double.NaN;
  }

  private static double megabytes(Cost cost, int size) {
    return size < cost.points().size() ? cost.points().get(size).bytes() / 1e6 : Double.NaN;
  }

  /**
   * Adds a table of time and memory by number of tokens, and two figures of them. Mixers may have
   * been measured for the first of the {@link #sizes} only.
   */
  public void reportByLength(ExperimentContext context, Measured<Cost> costs) {
    context.table(
        costs.crossTable(
            "A layer of width "
                + width
                + ", forward and backward on one sequence: time, and the most memory beside weights"
                + " and input",
            "tokens",
            sizes,
            new Cell<>("ms", LayerCost::ms),
            new Cell<>("MB", LayerCost::megabytes)));
    figures(context, costs);
  }

  /** Adds a figure of time and one of memory by number of tokens. */
  public void figures(ExperimentContext context, Measured<Cost> costs) {
    context.figure(
        costs.logFigure(
            "Time of a layer, forward and backward",
            "tokens",
            "ms",
            Curve.line(Cost::points, Cost.Point::size, p -> 1e3 * p.seconds())));
    context.figure(
        costs.logFigure(
            "Memory of a layer, forward and backward",
            "tokens",
            "MB",
            Curve.line(Cost::points, Cost.Point::size, p -> p.bytes() / 1e6)));
  }
}
