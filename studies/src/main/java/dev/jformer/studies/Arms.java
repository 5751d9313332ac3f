package dev.jformer.studies;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * The arms of an experiment: what is compared under otherwise equal conditions, each a name and
 * what is different in it. Arms do not change; {@link #arm} gives new ones.
 *
 * @param <S> what differs, for example the configuration of the token mixer
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

  /** A first arm. */
  public static <S> Arms<S> of(String name, S setting) {
    return new Arms<S>(Map.of(), Set.of(), Map.of()).arm(name, setting);
  }

  /** A first arm that is a {@linkplain #control control}. */
  public static <S> Arms<S> ofControl(String name, S setting) {
    return new Arms<S>(Map.of(), Set.of(), Map.of()).control(name, setting);
  }

  /** Arms as a map has them, in its order. */
  public static <S> Arms<S> of(Map<String, S> settings) {
    return new Arms<>(new LinkedHashMap<>(settings), Set.of(), Map.of());
  }

  /** An arm for each value, such as the lengths that something is measured at. */
  public static <S> Arms<S> named(List<S> values, Function<S, String> name) {
    Map<String, S> settings = new LinkedHashMap<>();
    values.forEach(value -> settings.put(name.apply(value), value));
    return of(settings);
  }

  /** The same and another one. */
  public Arms<S> arm(String name, S setting) {
    Map<String, S> all = new LinkedHashMap<>(settings);
    if (all.put(name, setting) != null) {
      throw new IllegalArgumentException("there are two arms called '" + name + "'");
    }
    return new Arms<>(all, controls, fewer);
  }

  /**
   * The same and a control: an arm that would show the claims to be hollow if it did as well, such
   * as the technique doing nothing, an untrained model, or the simplest one.
   */
  public Arms<S> control(String name, S setting) {
    Set<String> all = new LinkedHashSet<>(controls);
    all.add(name);
    return new Arms<>(arm(name, setting).settings, all, fewer);
  }

  /** The same without one of them. */
  public Arms<S> without(String name) {
    Map<String, S> rest = new LinkedHashMap<>(settings);
    if (rest.remove(name) == null) {
      throw new IllegalArgumentException("no arm is called '" + name + "': " + settings.keySet());
    }
    return new Arms<>(rest, controls, fewer);
  }

  /** The same with no more than some seeds of one arm, for one that takes long. */
  public Arms<S> seeds(String name, int most) {
    Map<String, Integer> all = new LinkedHashMap<>(fewer);
    all.put(name, most);
    return new Arms<>(settings, controls, all);
  }

  /** Something made of each arm, by name, in their order. */
  public <T> Map<String, T> map(BiFunction<String, ? super S, T> made) {
    Map<String, T> all = new LinkedHashMap<>();
    settings.forEach((name, setting) -> all.put(name, made.apply(name, setting)));
    return all;
  }

  /** The same arms, with something made of each in its place. */
  public <T> Arms<T> with(Function<? super S, T> part) {
    Map<String, T> all = new LinkedHashMap<>();
    settings.forEach((name, setting) -> all.put(name, part.apply(setting)));
    return new Arms<>(all, controls, fewer);
  }

  /** What differs in each arm, by name. */
  public Map<String, S> settings() {
    return Collections.unmodifiableMap(settings);
  }

  /**
   * Runs each arm with the seeds from 1; see {@link ExperimentContext#learn}.
   *
   * @param name of the experiment; results are kept as {@code NAME, ARM, seed N}
   */
  public <R extends Record> Measured<R> learn(
      ExperimentContext lab, String name, int seeds, Function<S, Trial<R>> trial) {
    return learn(lab, name, seeds, (arm, setting) -> trial.apply(setting));
  }

  /** As above, of trials that depend on the arm's name as well. */
  public <R extends Record> Measured<R> learn(
      ExperimentContext lab, String name, int seeds, BiFunction<String, S, Trial<R>> trial) {
    String prefix = name.isEmpty() ? "" : name + ", ";
    return each(
        (arm, s) ->
            lab.learn(
                prefix + arm,
                trial.apply(arm, s),
                Math.min(seeds, fewer.getOrDefault(arm, seeds))));
  }

  /**
   * Measures each arm once; see {@link ExperimentContext#measure}.
   *
   * @param name what is measured; results are kept as {@code NAME ARM}
   */
  public <R extends Record> Measured<R> measure(
      ExperimentContext lab, String name, Class<R> kind, Function<S, R> measurement) {
    return each((arm, s) -> List.of(lab.measure(name + arm, kind, () -> measurement.apply(s))));
  }

  private <R> Measured<R> each(BiFunction<String, S, List<R>> run) {
    List<Measured.Arm<R>> all = new ArrayList<>();
    settings.forEach(
        (name, setting) ->
            all.add(new Measured.Arm<>(name, controls.contains(name), run.apply(name, setting))));
    return new Measured<>(all);
  }
}
