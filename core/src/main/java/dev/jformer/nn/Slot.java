package dev.jformer.nn;

/**
 * The place of a child in a module: holds one module of type {@code M}, which can be exchanged.
 *
 * @param <M> what may stand here
 */
public final class Slot<M extends Module> {
  private final Class<? super M> kind;
  private M module;

  Slot(Class<? super M> kind, M module) {
    this.kind = kind;
    this.module = module;
  }

  /** The module that stands here now. */
  public M get() {
    return module;
  }

  /**
   * Puts another module here.
   *
   * @throws IllegalArgumentException if it is not of this slot's kind
   */
  public void set(Module replacement) {
    if (!kind.isInstance(replacement)) {
      throw new IllegalArgumentException(
          "a "
              + replacement.getClass().getSimpleName()
              + " cannot take the place of a "
              + kind.getSimpleName());
    }
    @SuppressWarnings("unchecked")
    M checked = (M) replacement;
    module = checked;
  }
}
