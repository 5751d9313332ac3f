package dev.jformer.studies;

import dev.jformer.data.text.TokenFile;
import java.nio.file.Path;
import java.util.function.Function;

/**
 * An experiment that is repeated with several seeds, such as training a model of one configuration
 * on one kind of data and measuring what comes of it. {@link ExperimentContext#learn} runs it.
 *
 * @param <R> a record of numbers, texts, lists and records, which is kept as JSON
 */
public interface Trial<R extends Record> {
  /** The type of the results. */
  Class<R> kind();

  /** Runs it once, all random draws depending on the session's seed. */
  R run(Session session);

  /** A trial that runs some code. */
  static <R extends Record> Trial<R> of(Class<R> kind, Function<Session, R> run) {
    return new Trial<>() {
      @Override
      public Class<R> kind() {
        return kind;
      }

      @Override
      public R run(Session session) {
        return run.apply(session);
      }
    };
  }

  /**
   * What one run is given.
   *
   * @param seed from 1
   * @param text the study's text, {@link ExperimentContext#text}
   * @param progress shows how it goes
   * @param unfinished folder for checkpoints, from which an interrupted run of the same trial goes
   *     on; null for none
   */
  record Session(long seed, TokenFile text, Progress progress, Path unfinished) {
    /** A session of its own, whose progress nobody sees and which keeps no checkpoints. */
    public static Session of(TokenFile text, long seed) {
      return new Session(seed, text, (done, detail) -> {}, null);
    }
  }

  /** Shows how a run goes. */
  @FunctionalInterface
  interface Progress {
    /**
     * After every update.
     *
     * @param done share that is done, 0 to 1
     * @param detail what there is to say, for example the loss; may be empty
     */
    void at(double done, String detail);
  }
}
