package dev.jformer.tensor;

/**
 * A setting of the calling thread that applies until it is closed, in the thread that opened it.
 */
public interface Mode extends AutoCloseable {
  /** Ends the setting and restores the one before it. */
  @Override
  void close();
}
