package dev.jformer.nn.internal;

import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;

/**
 * A value that is derived from weights, kept for as long as they stay the same. Threads may share
 * it, as long as none of them changes the weights.
 */
public final class Derived<T> {
  private final Consumer<T> release;
  private List<Object> source;
  private T value;

  /** Creates a derived value that does not exist yet; {@code release} frees one. */
  public Derived(Consumer<T> release) {
    this.release = release;
  }

  /** Creates a derived tensor. */
  public static Derived<Tensor> tensor() {
    return new Derived<>(Tensor::close);
  }

  /**
   * Returns the value, computed anew if a weight is another one or was changed since.
   *
   * @param make computes it, without gradients, outside of inference mode so that training may use
   *     it too; its tensors have to be kept
   * @param weights what it depends on; null for those that are absent
   */
  public synchronized T get(Supplier<T> make, Tensor... weights) {
    List<Object> now = new ArrayList<>();
    for (Tensor weight : weights) {
      if (weight != null) {
        now.add(weight);
        now.add(weight.version());
      }
    }
    if (value == null || !now.equals(source)) {
      forget();
      try (Scope scope = Scope.open();
          Mode ordinary = Autograd.noInference();
          Mode mode = Autograd.noGrad()) {
        value = make.get();
        source = now;
      }
    }
    return value;
  }

  /** Returns the bytes of the value; 0 if there is none. */
  public synchronized long bytes(ToLongFunction<T> size) {
    return value == null ? 0 : size.applyAsLong(value);
  }

  /** Returns the bytes of a derived tensor; 0 if there is none. */
  public static long bytes(Derived<Tensor> tensor) {
    return tensor.bytes(made -> made.elements() * made.dtype().bytes());
  }

  /** Releases the value, if there is one. */
  public synchronized void forget() {
    if (value != null) {
      release.accept(value);
      value = null;
    }
  }
}
