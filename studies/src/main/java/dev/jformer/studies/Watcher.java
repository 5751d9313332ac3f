package dev.jformer.studies;

import java.util.Locale;

/** Receives the progress of a study. */
public interface Watcher {
  /** Ignores the progress. */
  Watcher NONE = new Watcher() {};

  /** Prints a line on standard error for each measurement. */
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

  /** Called when a measurement begins. */
  default void begin(String measurement) {}

  /**
   * Called while a measurement runs.
   *
   * @param done share that is done, 0 to 1
   * @param detail text to show, for example the loss; may be empty
   */
  default void progress(String measurement, double done, String detail) {}

  /**
   * Called when a measurement has ended.
   *
   * @param seconds that it took, in an earlier session if {@code known}
   * @param known whether the result comes from an earlier session
   */
  default void end(String measurement, double seconds, boolean known) {}
}
