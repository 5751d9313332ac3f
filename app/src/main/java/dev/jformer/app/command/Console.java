package dev.jformer.app.command;

import dev.jformer.run.Progress;
import java.io.PrintStream;
import java.util.Locale;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * Shows progress and remarks on standard error: a progress bar on a terminal, a line every ten
 * seconds elsewhere, nothing if the user wants quiet.
 */
final class Console implements Progress {
  private static final long LINE_EVERY_MILLIS = 10_000;

  private final boolean quiet;
  private final boolean terminal = picocli.CommandLine.Help.Ansi.AUTO.enabled();

  Console(boolean quiet) {
    this.quiet = quiet;
  }

  private static PrintStream messages() {
    return System.err;
  }

  void say(String format, Object... values) {
    if (!quiet) {
      messages().printf(Locale.ROOT, format + "%n", values);
    }
  }

  @Override
  public void remark(String text) {
    say("%s", text);
  }

  @Override
  public Bar begin(String task, long total, String unit) {
    return new Bar(task, total, unit);
  }

  /** The progress of one piece of work. */
  final class Bar implements Work {
    private final String task;
    private final long total;
    private final String unit;
    private final ProgressBar bar;
    private long last = System.currentTimeMillis();

    private Bar(String task, long total, String unit) {
      this.task = task;
      this.total = total;
      this.unit = unit;
      this.bar =
          quiet || !terminal
              ? null
              : new ProgressBarBuilder()
                  .setTaskName(task)
                  .setInitialMax(total)
                  .setUnit(" " + unit, 1)
                  .setStyle(ProgressBarStyle.COLORFUL_UNICODE_BLOCK)
                  .setUpdateIntervalMillis(200)
                  .setConsumer(new ConsoleProgressBarConsumer(System.err))
                  .build();
    }

    @Override
    public void at(long done) {
      at(done, "");
    }

    /**
     * So much of it is done.
     *
     * @param detail more about it
     */
    void at(long done, String detail) {
      if (bar != null) {
        bar.stepTo(done);
        bar.setExtraMessage(" " + detail);
      } else if (!quiet && System.currentTimeMillis() - last >= LINE_EVERY_MILLIS) {
        last = System.currentTimeMillis();
        say("%s %d/%d %s  %s", task, done, total, unit, detail);
      }
    }

    /** Prints a line that stays above the bar. */
    void say(String format, Object... values) {
      if (bar != null) {
        messages().print("\r\u001B[2K");
      }
      Console.this.say(format, values);
    }

    @Override
    public void close() {
      if (bar != null) {
        bar.close();
      }
    }
  }

  /** For example {@code 2:05} or {@code 1:02:05}. */
  static String duration(double seconds) {
    long s = Math.round(seconds);
    return s >= 3600
        ? String.format(Locale.ROOT, "%d:%02d:%02d", s / 3600, s / 60 % 60, s % 60)
        : String.format(Locale.ROOT, "%d:%02d", s / 60, s % 60);
  }
}
