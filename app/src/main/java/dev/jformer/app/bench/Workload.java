package dev.jformer.app.bench;

import dev.jformer.studies.trial.InterleavedTimer;

/**
 * Something whose time is measured: it does its work once, here or in another process, and says how
 * long that took.
 */
interface Workload extends InterleavedTimer.Work, AutoCloseable {
  /** The name shown in tables. */
  String name();

  /** Runs once and returns the milliseconds that counts. */
  double run();

  @Override
  default double seconds() {
    return run() / 1e3;
  }

  @Override
  default void close() {}
}
