package dev.jformer.tensor;

import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.global.torch;

/**
 * The engine's random number generator, which every random operator on the current device draws
 * from. One seed gives one sequence on the same machine at the same number of threads; other
 * devices have other sequences.
 */
public final class Random {
  private Random() {}

  /** Starts the sequence that belongs to {@code seed}. */
  public static void seed(long seed) {
    Engine.start();
    torch.manual_seed(seed);
  }

  /** The generator's current state, as bytes that {@link #restore} takes. */
  public static Tensor state() {
    return Native.call("random state", () -> generator().get_state().clone());
  }

  /**
   * Puts the generator back into a state read by {@link #state}.
   *
   * @throws TensorException if {@code state} is not such a state
   */
  public static void restore(Tensor state) {
    Native.run(
        "restore random state", () -> generator().set_state(state.to(Device.CPU).torch()), state);
  }

  private static Generator generator() {
    Engine.start();
    return torch.globalContext().defaultGenerator(Device.current().torch());
  }
}
