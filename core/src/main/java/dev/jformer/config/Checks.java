package dev.jformer.config;

/**
 * Checks of values in the constructors of configurations. Each throws an {@link
 * IllegalArgumentException} that names the field, its value and what was expected.
 */
public final class Checks {
  private Checks() {}

  /** Fails with {@code layers is 0: expected at least 1} if the value is less. */
  public static void atLeast(String name, long value, long least) {
    check(value >= least, name, value, "at least " + least);
  }

  /** Fails unless the value is finite and at least {@code least}. */
  public static void atLeast(String name, double value, double least) {
    check(value >= least && Double.isFinite(value), name, value, "at least " + shortest(least));
  }

  /** Fails unless the value is finite and more than {@code bound}. */
  public static void moreThan(String name, double value, double bound) {
    check(value > bound && Double.isFinite(value), name, value, "more than " + shortest(bound));
  }

  /** Fails with {@code bits is 9: expected 2 to 8} if the value is outside. */
  public static void between(String name, long value, long least, long most) {
    check(value >= least && value <= most, name, value, least + " to " + most);
  }

  /**
   * Fails with {@code dropout is 1.0: expected a probability in [0, 1)} if the value is outside.
   */
  public static void probability(String name, double value) {
    check(value >= 0 && value < 1, name, value, "a probability in [0, 1)");
  }

  /** Fails unless the value is a share between 0 and 1, both excluded. */
  public static void part(String name, double value) {
    check(value > 0 && value < 1, name, value, "a share between 0 and 1");
  }

  /** Fails unless the value is a share from 0 to 1, 1 excluded. */
  public static void share(String name, double value) {
    check(value >= 0 && value < 1, name, value, "a share in [0, 1)");
  }

  /** Fails with {@code mixer is null: expected a value} if the value is null. */
  public static void notNull(String name, Object value) {
    check(value != null, name, value, "a value");
  }

  /** Fails with {@code name is value: expected …} unless the condition holds. */
  public static void check(boolean holds, String name, Object value, String expected) {
    if (!holds) {
      throw new IllegalArgumentException(name + " is " + value + ": expected " + expected);
    }
  }

  private static String shortest(double value) {
    return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
  }
}
