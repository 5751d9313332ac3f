package dev.jformer.studies.trial;

import dev.jformer.model.CausalLm;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Projection;
import dev.jformer.studies.Arms;
import dev.jformer.studies.Column;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.evidence.Table;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Times of arms that were measured in turns, to be saved by {@link
 * dev.jformer.studies.ExperimentContext#measure}.
 *
 * @param names of the arms
 * @param timings of the arms, in this order
 */
public record TimedArms(List<String> names, Timings timings) {
  /**
   * Measures arms in turns.
   *
   * @param work of each arm, which runs in a new scope each time
   * @param warmUp number of rounds that do not count
   * @param rounds at least 1
   */
  public static TimedArms measure(Map<String, Runnable> work, int warmUp, int rounds) {
    return new TimedArms(
        List.copyOf(work.keySet()),
        InterleavedTimer.measure(List.copyOf(work.values()), warmUp, rounds));
  }

  /** As above, with work that is given as arms. */
  public static TimedArms measure(Arms<Runnable> work, int warmUp, int rounds) {
    return measure(work.settings(), warmUp, rounds);
  }

  /**
   * Measures updates of untrained language models with AdamW, on random tokens.
   *
   * @param rows sequences in a batch, each of the model's length
   * @param rounds at least 1, after one that does not count
   */
  public static TimedArms updates(Map<String, CausalLm.Config> models, int rows, int rounds) {
    List<LanguageUpdate> updates = new ArrayList<>();
    Map<String, Runnable> work = new LinkedHashMap<>();
    try (Scope scope = Scope.open()) {
      models.forEach(
          (name, model) -> {
            LanguageUpdate update = new LanguageUpdate(model, rows);
            updates.add(update);
            work.put(name, update);
          });
      return measure(work, 1, rounds);
    } finally {
      updates.forEach(LanguageUpdate::close);
    }
  }

  /**
   * Measures the layers of arms beside each other on the same random input, all from seed 1.
   *
   * @param build makes the layer of an arm, which is closed afterwards
   * @param both whether forward and backward in training; else forward in inference
   * @param shape of the input, for example [tokens, width]
   */
  public static <S> TimedArms layers(
      Arms<S> arms,
      Function<S, ? extends Layer> build,
      boolean both,
      int warmUp,
      int rounds,
      long... shape) {
    List<Layer> layers = new ArrayList<>();
    Map<String, Runnable> work = new LinkedHashMap<>();
    Random.seed(1);
    try {
      arms.settings().values().forEach(setting -> layers.add(build.apply(setting)));
      Tensor x = Tensor.randn(shape).requiresGrad(both);
      Tensor g = Tensor.randn(shape);
      for (String name : arms.settings().keySet()) {
        Layer layer = layers.get(work.size());
        layer.train(both);
        work.put(name, both ? () -> bothWays(layer, x, g) : () -> inference(layer, x));
      }
      return measure(work, warmUp, rounds);
    } finally {
      layers.forEach(Layer::close);
    }
  }

  /**
   * Measures the linear layers of projections beside each other in inference, on several numbers of
   * tokens; see {@link #layers}.
   *
   * @param in features of a token, of which the layers make {@code out}
   * @param tokens numbers of tokens, each a condition
   */
  public static Measured<TimedArms> projections(
      ExperimentContext lab,
      Arms<Projection> projections,
      long in,
      long out,
      List<Integer> tokens,
      int warmUp,
      int rounds) {
    Function<Projection, Layer> build = p -> p.build(in, out, true, Initializer.normal(0.02));
    return Arms.named(tokens, count -> count + " tokens")
        .measure(
            lab,
            "times of a layer, ",
            TimedArms.class,
            count -> layers(projections, build, false, warmUp, rounds, count, in));
  }

  private static void bothWays(Layer layer, Tensor x, Tensor g) {
    layer.clearGrads();
    x.clearGrad();
    layer.forward(x).backward(g);
  }

  private static void inference(Layer layer, Tensor x) {
    try (Mode mode = Autograd.noGrad()) {
      layer.forward(x);
    }
  }

  /** Returns the median seconds of an arm. */
  public double seconds(String arm) {
    return timings.of(index(arm)).median();
  }

  /** Returns the ratio of an arm's time to another's. */
  public Estimate ratio(String arm, String other) {
    return timings.ratio(index(arm), index(other)).estimate();
  }

  private int index(String arm) {
    int index = names.indexOf(arm);
    if (index < 0) {
      throw new IllegalArgumentException("no arm is called '" + arm + "': there are " + names);
    }
    return index;
  }

  /**
   * Returns a table with a row for each arm: milliseconds, and their ratio to those of the first
   * arm.
   *
   * @param arm title of the first column
   * @param ratio title of the last column
   */
  public Table table(String title, String arm, String ratio) {
    List<List<String>> rows = new ArrayList<>();
    for (String name : names) {
      rows.add(Table.row(name, 1e3 * seconds(name), timesFirst(name)));
    }
    return new Table(title, List.of(arm, "ms", ratio), rows);
  }

  /**
   * A table with a row for each arm: times under several conditions, as multiples of the first
   * arm's.
   *
   * @param arm title of the first column
   * @param conditions measurements of the same arms, an arm for each condition
   */
  public static Table ratios(String title, String arm, Measured<TimedArms> conditions) {
    Map<String, String> names = new LinkedHashMap<>();
    conditions.arms().get(0).first().names.forEach(name -> names.put(name, name));
    return Measured.of(names)
        .table(
            title,
            arm,
            conditions.arms().stream()
                .map(c -> Column.<String>fixed(c.name(), name -> c.first().timesFirst(name)))
                .toList());
  }

  private double timesFirst(String name) {
    return ratio(name, names.get(0)).value();
  }
}
