package dev.jformer.nn;

/**
 * A slot for a child of a module: it holds one module of type {@code M}, which can be replaced.
 *
 * @param <M> the type of module that it holds
 */
public final class Slot<M extends Module> {
  private final Class<? super M> kind;
  private M module;

  Slot(Class<? super M> kind, M module) {
    this.kind = kind;
    this.module = module;
  }

  /** The current module. */
  public M get() {
    return module;
  }

  /**
   * Replaces the module.
   *
   * @throws IllegalArgumentException if the replacement is not of this slot's type
   */
  public void set(Module replacement) {
    if (!kind.isInstance(replacement)) {
      throw new IllegalArgumentException(
          "a "
              + replacement.getClass().getSimpleName()
              + " cannot replace a "
              + kind.getSimpleName());
    }
    @SuppressWarnings("unchecked")
    M checked = (M) replacement;
    module = checked;
  }
}
