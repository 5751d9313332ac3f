package dev.jformer.run;

import dev.jformer.train.Listener;

/** Receives the events of a run: data preparation, updates, evaluations and remarks. */
public interface Progress extends Listener {
  /** A piece of work of known size. */
  interface Work extends AutoCloseable {
    /** Called with the amount of work that is done. */
    void at(long done);

    @Override
    default void close() {}
  }

  /**
   * Called when a piece of work begins; it ends when the result is closed.
   *
   * @param name the name of the work, for example {@code tokenizing}
   * @param total its size
   * @param unit the unit of the size
   */
  default Work begin(String name, long total, String unit) {
    return done -> {};
  }

  /** Called with a remark about the data for the user. */
  default void remark(String text) {}

  /** Called when training begins. */
  default void begun(RunDescription description) {}

  /** Called with a sample of the model's output, after an evaluation. */
  default void sample(String text) {}

  /** Gives the progress of the pretraining, if there is one. */
  default Progress pretraining() {
    return none();
  }

  /** Called with a picture of what the model makes, a PNG file, after an evaluation. */
  default void picture(byte[] png) {}

  /** A progress that ignores all events. */
  static Progress none() {
    return new Progress() {};
  }

  /** A progress that prints remarks, evaluations and occasional updates on standard error. */
  static Progress console() {
    return new TextProgress(System.err);
  }
}
