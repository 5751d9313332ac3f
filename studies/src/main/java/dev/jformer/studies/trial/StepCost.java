package dev.jformer.studies.trial;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.studies.Arms;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What token mixers cost in decoding: the time of a layer's step for one sequence after some
 * tokens, and what its cache holds; for training see {@link LayerCost}.
 *
 * @param times of a step, by mixer
 * @param bytes that the cache holds in the end, by mixer
 */
public record StepCost(TimedArms times, Map<String, Long> bytes) {
  /**
   * Measures mixers in turns.
   *
   * @param tokens seen before
   * @param steps that count, after as many that do not
   */
  public static StepCost measure(Arms<TokenMixer.Config> mixers, int width, int tokens, int steps) {
    Map<String, TokenMixer> layers = new LinkedHashMap<>();
    Map<String, TokenMixer.State> states = new LinkedHashMap<>();
    Map<String, Runnable> work = new LinkedHashMap<>();
    try (Mode mode = Autograd.noGrad()) {
      mixers
          .settings()
          .forEach(
              (name, mixer) -> {
                TokenMixer layer = Small.mixer(mixer, width, tokens, true);
                layers.put(name, layer);
                layer.train(false);
                TokenMixer.State state = layer.start(1, tokens + 2L * steps);
                states.put(name, state);
                layer.step(Tensor.randn(1, tokens, width), state);
                work.put(name, () -> layer.step(Tensor.randn(1, 1, width), state));
              });
      TimedArms times = TimedArms.measure(work, steps, steps);
      Map<String, Long> bytes = new LinkedHashMap<>();
      states.forEach((name, state) -> bytes.put(name, state.bytes()));
      return new StepCost(times, bytes);
    } finally {
      states.values().forEach(TokenMixer.State::close);
      layers.values().forEach(TokenMixer::close);
    }
  }

  /** Milliseconds of a step. */
  public double ms(String mixer) {
    return 1e3 * times.seconds(mixer);
  }

  /** The bytes that a mixer's cache holds, as a share of another's. */
  public double share(String mixer, String other) {
    return (double) bytes.get(mixer) / bytes.get(other);
  }
}
