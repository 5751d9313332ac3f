package dev.jformer.run;

import java.io.PrintStream;
import java.util.Locale;

/**
 * Prints the progress of a run as lines of text, at most one every few seconds between evaluations.
 */
final class TextProgress implements Progress {
  private static final long EVERY_NANOS = 5_000_000_000L;

  private final PrintStream out;
  private long last = System.nanoTime();

  TextProgress(PrintStream out) {
    this.out = out;
  }

  @Override
  public Progress pretraining() {
    print("pretraining:");
    return new TextProgress(out);
  }

  @Override
  public Work begin(String name, long total, String unit) {
    return done -> {
      if (isTime()) {
        print("%s %,d of %,d %s", name, done, total, unit);
      }
    };
  }

  @Override
  public void remark(String text) {
    print("%s", text);
  }

  @Override
  public void begun(RunDescription description) {
    DataSummary data = description.data();
    print("%s", description.model());
    print("%,d %s to train on, %,d held out", data.training(), data.unit(), data.heldOut());
  }

  @Override
  public void sample(String text) {
    print("%s", text);
  }

  @Override
  public void step(Step step) {
    if (isTime()) {
      print(
          "step %d of %d: loss %.4f, %,.0f units a second, %.0f s left",
          step.step(), step.steps(), step.loss(), step.unitsPerSecond(), step.secondsLeft());
    }
  }

  @Override
  public void evaluation(Evaluation evaluation) {
    print(
        "step %d: %s%s",
        evaluation.step(), evaluation.metrics(), evaluation.isBest() ? " (the best so far)" : "");
  }

  private boolean isTime() {
    long now = System.nanoTime();
    if (now - last < EVERY_NANOS) {
      return false;
    }
    last = now;
    return true;
  }

  private void print(String format, Object... values) {
    out.printf(Locale.ROOT, format + "%n", values);
  }
}
