package dev.jformer.studies;

import dev.jformer.data.text.TokenFile;
import java.nio.file.Path;
import java.util.function.Function;

/**
 * An experiment that is repeated with several seeds, such as training one configuration and
 * measuring the model. {@link ExperimentContext#learn} runs it.
 *
 * @param <R> a record of numbers, texts, lists and records, which is saved as JSON
 */
public interface Trial<R extends Record> {
  /** Returns the type of the results. */
  Class<R> kind();

  /** Runs the trial once; all random numbers depend on the session's seed. */
  R run(Session session);

  /** Creates a trial from a function. */
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
   * The inputs of one run of a trial.
   *
   * @param seed from 1
   * @param text the study's text, {@link ExperimentContext#text}
   * @param progress receives the progress
   * @param unfinished folder for checkpoints, from which an interrupted run resumes; null for none
   */
  record Session(long seed, TokenFile text, Progress progress, Path unfinished) {
    /** Creates a session without progress reports and checkpoints. */
    public static Session of(TokenFile text, long seed) {
      return new Session(seed, text, (done, detail) -> {}, null);
    }

    /** The same with another text. */
    public Session withText(TokenFile other) {
      return new Session(seed, other, progress, unfinished);
    }
  }

  /** Receives the progress of a run. */
  @FunctionalInterface
  interface Progress {
    /**
     * Called after every update.
     *
     * @param done share that is done, 0 to 1
     * @param detail text to show, for example the loss; may be empty
     */
    void at(double done, String detail);
  }
}
