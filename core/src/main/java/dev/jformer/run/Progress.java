package dev.jformer.run;

import dev.jformer.train.Listener;

/** Is told how a run goes: data that is made ready, updates, evaluations, remarks. */
public interface Progress extends Listener {
  /** A piece of work whose size is known. */
  interface Work extends AutoCloseable {
    /** So much of it is done. */
    void at(long done);

    @Override
    default void close() {}
  }

  /**
   * A piece of work begins; it ends when what is returned is closed.
   *
   * @param name what is done, for example {@code tokenizing}
   * @param total its size
   * @param unit what the size counts
   */
  default Work begin(String name, long total, String unit) {
    return done -> {};
  }

  /** Something about the data that a user should know. */
  default void remark(String text) {}

  /** Training begins. */
  default void begun(RunDescription description) {}

  /** What the model makes of something, after an evaluation. */
  default void sample(String text) {}

  /** Nobody is told. */
  static Progress none() {
    return new Progress() {};
  }

  /** Lines of plain text on standard error: remarks, evaluations, and now and then an update. */
  static Progress console() {
    return new TextProgress(System.err);
  }
}
