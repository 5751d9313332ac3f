package dev.jformer.studies.compare;

import java.lang.management.ManagementFactory;
import java.util.Locale;
import java.util.Optional;

/**
 * The load of the machine: how many programs compute on how many processors.
 *
 * @param average number of programs that computed or waited in the last minute; negative if unknown
 * @param processors number of processors
 */
record Load(double average, int processors) {
  /** The share of the processors that may be in use before times are doubtful. */
  private static final double BUSY = 0.5;

  private static final int MINUTE = 60;
  private static final int HOUR = 3600;

  static Load now() {
    return new Load(
        ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage(),
        Runtime.getRuntime().availableProcessors());
  }

  /** A warning if other programs compute. */
  Optional<String> warning() {
    return average <= BUSY * processors
        ? Optional.empty()
        : Optional.of(
            String.format(
                Locale.ROOT,
                "The machine was busy when the comparison began (load %.1f on %d processors): its"
                    + " speeds are doubtful. Repeat it on a quiet machine with --fresh.",
                average,
                processors));
  }

  /** For example {@code 40 s}, {@code 12 min} or {@code 3.5 h}. */
  static String duration(double seconds) {
    if (seconds < 2 * MINUTE) {
      return Math.round(seconds) + " s";
    }
    return seconds < 2 * HOUR
        ? Math.round(seconds / MINUTE) + " min"
        : String.format(Locale.ROOT, "%.1f h", seconds / HOUR);
  }
}
