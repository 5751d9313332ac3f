package dev.jformer.app.command;

import dev.jformer.studies.Watcher;

/** Shows one measurement of a study after the other. */
final class StudyProgress implements Watcher, AutoCloseable {
  private static final int PARTS = 100;

  private final Console console;
  private Console.Bar bar;
  private long start;

  StudyProgress(Console console) {
    this.console = console;
  }

  @Override
  public void begin(String measurement) {
    close();
    bar = console.begin(measurement, PARTS, "%");
    start = System.nanoTime();
  }

  @Override
  public void progress(String measurement, double done, String detail) {
    double seconds = (System.nanoTime() - start) / 1e9;
    String left = done > 0 ? Console.duration(seconds * (1 - done) / done) + " left" : "";
    bar.at(Math.round(PARTS * done), detail.isEmpty() ? left : detail + ", " + left);
  }

  @Override
  public void end(String measurement, double seconds, boolean known) {
    close();
    console.say(
        "  %s: %s%s", measurement, Console.duration(seconds), known ? ", measured before" : "");
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }
}
