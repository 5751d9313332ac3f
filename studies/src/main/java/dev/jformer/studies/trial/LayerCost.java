package dev.jformer.studies.trial;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * What token mixers cost as sequences grow: a layer forward and backward on one sequence, in
 * training.
 *
 * @param width D of the layer
 * @param sizes numbers of tokens, rising
 */
public record LayerCost(int width, List<Integer> sizes) {
  /** Measures some mixers, each under its name. */
  public Map<String, Cost> measure(
      ExperimentContext lab, Map<String, TokenMixer.Config> mixers, boolean causal) {
    Map<String, Cost> costs = new LinkedHashMap<>();
    mixers.forEach(
        (name, mixer) ->
            costs.put(name, lab.measure("cost of " + name, Cost.class, () -> of(mixer, causal))));
    return costs;
  }

  /** Measures a mixer. */
  public Cost of(TokenMixer.Config mixer, boolean causal) {
    List<TokenMixer> layers = new ArrayList<>();
    try {
      return Cost.measure(
          sizes.stream().mapToInt(Integer::intValue).toArray(),
          tokens -> {
            TokenMixer layer = build(mixer, tokens, causal);
            layers.add(layer);
            Tensor x = Tensor.randn(1, tokens, width);
            Tensor g = Tensor.randn(1, tokens, width);
            x.requiresGrad(true);
            return () -> {
              layer.clearGrads();
              x.clearGrad();
              layer.forward(x, null).backward(g);
            };
          });
    } finally {
      layers.forEach(TokenMixer::close);
    }
  }

  private TokenMixer build(TokenMixer.Config mixer, int length, boolean causal) {
    BlockContext site =
        new BlockContext(
            width, 0, 1, length, causal, false, 0, new BlockContext.Init(), new Linear.Config());
    int heads = mixer.heads();
    Position none = new NoPosition.Config().build(width, heads, width / heads, length);
    return mixer.build(site, none);
  }

  /** Adds a table and two figures of what was measured, with exponents fitted from a size on. */
  public void report(ExperimentContext lab, Map<String, Cost> costs, int from) {
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> times = new ArrayList<>();
    List<Figure.Series> memory = new ArrayList<>();
    int last = sizes.size() - 1;
    costs.forEach(
        (name, cost) -> {
          rows.add(
              Table.row(
                  name,
                  cost.timeExponent(from),
                  cost.memoryExponent(from),
                  1e3 * cost.points().get(0).seconds(),
                  1e3 * cost.points().get(last).seconds(),
                  cost.points().get(last).bytes() / 1e6));
          times.add(series(name, cost, p -> 1e3 * p.seconds()));
          memory.add(series(name, cost, p -> p.bytes() / 1e6));
        });
    lab.table(
        new Table(
            "A layer of width "
                + width
                + ", forward and backward on one sequence; exponents from "
                + from
                + " to "
                + sizes.get(last)
                + " tokens",
            List.of(
                "mixer",
                "exponent of time",
                "exponent of memory",
                "ms, " + sizes.get(0) + " tokens",
                "ms, " + sizes.get(last) + " tokens",
                "MB, " + sizes.get(last) + " tokens"),
            rows));
    lab.figure(
        new Figure("Time of a layer, forward and backward", "tokens", "ms", true, true, times));
    lab.figure(
        new Figure("Memory of a layer, forward and backward", "tokens", "MB", true, true, memory));
  }

  private static Figure.Series series(
      String name, Cost cost, ToDoubleFunction<Cost.Point> measure) {
    return Figure.Series.line(
        name,
        cost.points().stream().map(p -> (double) p.size()).toList(),
        cost.points().stream().map(measure::applyAsDouble).toList());
  }
}
