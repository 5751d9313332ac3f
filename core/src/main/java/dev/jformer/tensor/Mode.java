package dev.jformer.tensor;

/** A setting of the calling thread that holds until it is closed, in the thread that opened it. */
public interface Mode extends AutoCloseable {
  /** Ends the setting; what held before holds again. */
  @Override
  void close();
}
