package dev.jformer.studies;

/** Is told how a study goes. */
public interface Watcher {
  /** Nobody is told. */
  Watcher NONE = new Watcher() {};

  /** A measurement begins. */
  default void begin(String measurement) {}

  /**
   * It goes on.
   *
   * @param done share that is done, 0 to 1
   * @param detail what there is to say, for example the loss
   */
  default void progress(String measurement, double done, String detail) {}

  /**
   * It ended.
   *
   * @param seconds it took, in an earlier session if {@code known}
   * @param known whether it was measured in an earlier session
   */
  default void end(String measurement, double seconds, boolean known) {}
}
