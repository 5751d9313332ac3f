package dev.jformer.app.bench;

/**
 * Something whose time is measured: it does its work once, here or in another process, and says how
 * long that took.
 */
interface Workload extends AutoCloseable {
  /** The name shown in tables. */
  String name();

  /** Runs once and returns the milliseconds that counts. */
  double run();

  @Override
  default void close() {}
}
