package dev.jformer.studies;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.DoubleConsumer;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * The arms of an experiment: named settings that are compared under otherwise equal conditions.
 * Immutable; {@link #arm} returns a new object.
 *
 * @param <S> the setting that differs between arms, for example the configuration of the token
 *     mixer
 */
public final class Arms<S> {
  private final Map<String, S> settings;
  private final Set<String> controls;
  private final Map<String, Integer> fewer;

  private Arms(Map<String, S> settings, Set<String> controls, Map<String, Integer> fewer) {
    this.settings = settings;
    this.controls = controls;
    this.fewer = fewer;
  }

  /** Arms with one arm. */
  public static <S> Arms<S> of(String name, S setting) {
    return new Arms<S>(Map.of(), Set.of(), Map.of()).arm(name, setting);
  }

  /** Arms with one arm, a {@linkplain #control control}. */
  public static <S> Arms<S> ofControl(String name, S setting) {
    return new Arms<S>(Map.of(), Set.of(), Map.of()).control(name, setting);
  }

  /** Arms from a map of settings by name, in the map's order. */
  public static <S> Arms<S> of(Map<String, S> settings) {
    return new Arms<>(new LinkedHashMap<>(settings), Set.of(), Map.of());
  }

  /** Creates an arm for each value, such as the lengths to measure. */
  public static <S> Arms<S> named(List<S> values, Function<S, String> name) {
    Map<String, S> settings = new LinkedHashMap<>();
    values.forEach(value -> settings.put(name.apply(value), value));
    return of(settings);
  }

  /** Returns these arms and one more. */
  public Arms<S> arm(String name, S setting) {
    Map<String, S> all = new LinkedHashMap<>(settings);
    if (all.put(name, setting) != null) {
      throw new IllegalArgumentException(
          "there are two arms named '" + name + "': give each arm its own name");
    }
    return new Arms<>(all, controls, fewer);
  }

  /**
   * Returns these arms and a control. A control is an arm that disproves a claim if it does as well
   * as the technique: for example the technique switched off, an untrained model, or the simplest
   * model.
   */
  public Arms<S> control(String name, S setting) {
    Set<String> all = new LinkedHashSet<>(controls);
    all.add(name);
    return new Arms<>(arm(name, setting).settings, all, fewer);
  }

  /** Returns these arms without one of them. */
  public Arms<S> without(String name) {
    Map<String, S> rest = new LinkedHashMap<>(settings);
    if (rest.remove(name) == null) {
      throw new IllegalArgumentException("no arm is called '" + name + "': " + settings.keySet());
    }
    return new Arms<>(rest, controls, fewer);
  }

  /** Returns these arms with a maximum number of seeds for one arm, for an arm that takes long. */
  public Arms<S> seeds(String name, int most) {
    Map<String, Integer> all = new LinkedHashMap<>(fewer);
    all.put(name, most);
    return new Arms<>(settings, controls, all);
  }

  /**
   * Applies a function to each arm; returns the values by the arm's name, in the order of the arms.
   */
  public <T> Map<String, T> map(BiFunction<String, ? super S, T> made) {
    Map<String, T> all = new LinkedHashMap<>();
    settings.forEach((name, setting) -> all.put(name, made.apply(name, setting)));
    return all;
  }

  /** Returns the same arms with settings made from those of these. */
  public <T> Arms<T> with(Function<? super S, T> part) {
    Map<String, T> all = new LinkedHashMap<>();
    settings.forEach((name, setting) -> all.put(name, part.apply(setting)));
    return new Arms<>(all, controls, fewer);
  }

  /** The settings by the arm's name. */
  public Map<String, S> settings() {
    return Collections.unmodifiableMap(settings);
  }

  /**
   * Runs each arm with the seeds from 1; see {@link ExperimentContext#learn}.
   *
   * @param name of the experiment; results are saved as {@code NAME, ARM, seed N}
   */
  public <R extends Record> Measured<R> learn(
      ExperimentContext context, String name, int seeds, Function<S, Trial<R>> trial) {
    return learn(context, name, seeds, (arm, setting) -> trial.apply(setting));
  }

  /** As above, for the only experiment of a study; results are saved as {@code ARM, seed N}. */
  public <R extends Record> Measured<R> learn(
      ExperimentContext context, int seeds, Function<S, Trial<R>> trial) {
    return learn(context, "", seeds, trial);
  }

  /** As above, for trials that also depend on the arm's name. */
  public <R extends Record> Measured<R> learn(
      ExperimentContext context, String name, int seeds, BiFunction<String, S, Trial<R>> trial) {
    String prefix = name.isEmpty() ? "" : name + ", ";
    return each(
        (arm, s) ->
            context.learn(
                prefix + arm,
                trial.apply(arm, s),
                Math.min(seeds, fewer.getOrDefault(arm, seeds))));
  }

  /**
   * Measures each arm once; see {@link ExperimentContext#measure}.
   *
   * @param name what is measured; results are saved as {@code NAME ARM}
   */
  public <R extends Record> Measured<R> measure(
      ExperimentContext context, String name, Class<R> kind, Function<S, R> measurement) {
    return measure(
        context, arm -> name + arm, kind, (setting, progress) -> measurement.apply(setting));
  }

  /**
   * Measures each arm once, with measurements that report their progress.
   *
   * @param name under which an arm's result is saved, given the arm's name
   */
  public <R extends Record> Measured<R> measure(
      ExperimentContext context,
      UnaryOperator<String> name,
      Class<R> kind,
      BiFunction<S, DoubleConsumer, R> measurement) {
    return each(
        (arm, s) ->
            List.of(
                context.measure(
                    name.apply(arm), kind, progress -> measurement.apply(s, progress))));
  }

  private <R> Measured<R> each(BiFunction<String, S, List<R>> run) {
    List<Measured.Arm<R>> all = new ArrayList<>();
    settings.forEach(
        (name, setting) ->
            all.add(new Measured.Arm<>(name, controls.contains(name), run.apply(name, setting))));
    return new Measured<>(all);
  }
}
