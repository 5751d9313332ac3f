package dev.jformer.tensor;

import java.util.function.Supplier;
import org.bytedeco.javacpp.PointerScope;

/**
 * A lifetime for native memory: every tensor made in the calling thread while a scope is the
 * innermost open one is released when that scope closes, unless it was kept.
 *
 * <pre>{@code
 * try (Scope scope = Scope.open()) {
 *   Tensor loss = model.loss(batch);
 *   loss.backward();
 *   total += loss.item();
 * } // every activation of the step is released here
 * }</pre>
 *
 * <p>Without any open scope a tensor lives until the garbage collector finds it, which in a loop is
 * far too late. Parameters, buffers and optimizer state are kept ({@link Tensor#keep()}) and so
 * outlive the scope they were made in. Scopes nest and belong to one thread: close them in the
 * thread, and in the reverse order, that opened them.
 */
public final class Scope implements AutoCloseable {
  private final PointerScope scope;

  private Scope(PointerScope scope) {
    this.scope = scope;
  }

  /** Opens a scope in the calling thread. */
  public static Scope open() {
    Engine.start();
    return new Scope(new PointerScope());
  }

  /**
   * Runs {@code body} in a scope of its own and hands its result, alone, to the surrounding scope.
   */
  public static Tensor tidy(Supplier<Tensor> body) {
    Tensor result;
    try (Scope scope = open()) {
      result = body.get();
      result.torch().retainReference();
    }
    return result.handOver();
  }

  /** Releases every tensor made in this scope that was not kept. */
  @Override
  public void close() {
    scope.close();
  }
}
