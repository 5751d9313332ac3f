package dev.jformer.studies;

import java.util.Locale;

/** Is told how a study goes. */
public interface Watcher {
  /** Nobody is told. */
  Watcher NONE = new Watcher() {};

  /** A line of text on standard error for each measurement. */
  static Watcher console() {
    return new Watcher() {
      @Override
      public void begin(String measurement) {
        System.err.println(measurement + " ...");
      }

      @Override
      public void end(String measurement, double seconds, boolean known) {
        System.err.printf(
            Locale.ROOT, "%s: %.0f s%s%n", measurement, seconds, known ? ", measured before" : "");
      }
    };
  }

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
