package dev.jformer.app.command;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Lets work come to its own end when the process is asked to end, by Ctrl-C for example: the
 * process waits until this is closed. Otherwise it would tear the native engine down under threads
 * that compute.
 */
final class Interruption implements AutoCloseable {
  /** As a shell reports a program that Ctrl-C ended. */
  static final int EXIT_CODE = 130;

  private static final long SECONDS = 60;

  private final CountDownLatch finished = new CountDownLatch(1);
  private final Thread hook = new Thread(this::waitForTheWork, "end-of-process");
  private Runnable stop = () -> {};
  private boolean asked;

  /**
   * From now on the process waits.
   *
   * @throws CommandException if it is ending already
   */
  Interruption() {
    try {
      Runtime.getRuntime().addShutdownHook(hook);
    } catch (IllegalStateException ending) {
      throw new CommandException("interrupted before the work began");
    }
  }

  /** What to do when the process is asked to end; done at once if it was already. */
  synchronized void then(Runnable newStop) {
    stop = newStop;
    if (asked) {
      stop.run();
    }
  }

  private synchronized void ask() {
    asked = true;
    stop.run();
  }

  private void waitForTheWork() {
    ask();
    try {
      if (!finished.await(SECONDS, TimeUnit.SECONDS)) {
        System.err.println(
            "jformer: the work did not end within a minute of the signal; its last results are lost");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** The work has ended. */
  @Override
  public void close() {
    finished.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException ending) {
      // The hook is what ended the work.
    }
  }
}
