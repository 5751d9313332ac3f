package dev.jformer.app.command;

import dev.jformer.studies.Watcher;

/** Shows one measurement of a study after the other. */
final class StudyProgress implements Watcher, AutoCloseable {
  private static final int PARTS = 1000;

  private final Console console;
  private Console.Bar bar;

  StudyProgress(Console console) {
    this.console = console;
  }

  @Override
  public void begin(String measurement) {
    close();
    bar = console.begin(measurement, PARTS, "‰");
  }

  @Override
  public void progress(String measurement, double done, String detail) {
    bar.at(Math.round(PARTS * done), detail);
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
