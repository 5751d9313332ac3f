package dev.jformer.config;

/**
 * The configuration of an interchangeable part: a record with a public no-argument constructor that
 * gives its defaults.
 */
public interface Part {
  /** The name that JSON uses for this kind of part, for example {@code rope}. */
  String type();
}
