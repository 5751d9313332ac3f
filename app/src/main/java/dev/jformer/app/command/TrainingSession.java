package dev.jformer.app.command;

import dev.jformer.metrics.Metrics;
import dev.jformer.run.Progress;
import dev.jformer.run.Run;
import dev.jformer.run.RunDescription;
import dev.jformer.run.RunResult;
import dev.jformer.studies.evidence.Picture;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Trains a run, shows how it goes, and stops it with a checkpoint when the process is to end. */
final class TrainingSession implements Progress, AutoCloseable {
  private final Run run;
  private final Path folder;
  private final Console console;
  private final List<RunReport.Sample> samples = new ArrayList<>();
  private final List<Picture> pictures = new ArrayList<>();
  private RunDescription description;
  private long evaluated;
  private Interruption interruption;
  private Console.Bar bar;
  private String unit = "";

  private TrainingSession(Run run, Path folder, Console console) {
    this.run = run;
    this.folder = folder;
    this.console = console;
  }

  /**
   * Trains until the end of the run, or until the process is asked to end. The run's folder then
   * holds a report.
   */
  static RunResult train(Run run, Path folder, Console console) throws IOException {
    try (TrainingSession session = new TrainingSession(run, folder, console)) {
      RunResult result = run.train(session);
      new RunReport(run.recipe(), session.description, result, session.samples, session.pictures)
          .write(folder);
      return result;
    }
  }

  @Override
  public Work begin(String name, long total, String counted) {
    return console.begin(name, total, counted);
  }

  @Override
  public void remark(String text) {
    console.remark(text);
  }

  @Override
  public Progress pretraining() {
    return new Pretraining();
  }

  private void stopWithTheProcess() {
    if (interruption == null) {
      interruption = new Interruption();
      interruption.then(run::stop);
    }
  }

  /** Shows the pretraining, which the run's own steps follow. */
  private final class Pretraining implements Progress {
    @Override
    public void begun(RunDescription begun) {
      description = begun;
      stopWithTheProcess();
      int own = run.recipe().pretraining().steps();
      int steps = own == 0 ? run.recipe().training().steps() : own;
      if (begun.step() < steps) {
        console.say("pretraining, %,d of %,d steps are done", begun.step(), steps);
        unit = begun.unit();
        bar = console.begin("pretraining", steps, "steps");
      }
    }

    @Override
    public void step(Step step) {
      TrainingSession.this.step(step);
    }

    @Override
    public void evaluation(Evaluation evaluation) {
      TrainingSession.this.evaluation(evaluation);
    }
  }

  @Override
  public void begun(RunDescription begun) {
    if (bar != null) {
      bar.close();
    }
    description = begun;
    stopWithTheProcess();
    if (description.step() > 0) {
      console.say("resuming %s at step %d", folder, description.step());
    }
    console.say("%s", description.model());
    console.say(
        "%s: %,d %s to train on, %,d held out%s",
        description.data().source(),
        description.data().training(),
        description.data().unit(),
        description.data().heldOut(),
        description.data().detail().isEmpty() ? "" : "; " + description.data().detail());
    unit = description.unit();
    bar = console.begin("training", run.recipe().training().steps(), "steps");
  }

  @Override
  public void step(Step step) {
    bar.at(
        step.step(),
        String.format(
            Locale.ROOT,
            "loss %.3f, %,.0f %s/s, %s left",
            step.loss(),
            step.unitsPerSecond(),
            unit,
            Console.duration(step.secondsLeft())));
  }

  @Override
  public void evaluation(Evaluation evaluation) {
    evaluated = evaluation.step();
    Metrics metrics = evaluation.metrics();
    bar.say(
        "step %d: validation %s%s",
        evaluation.step(),
        MetricsText.of(metrics),
        evaluation.isBest() ? "" : " (best " + Printer.number(evaluation.best()) + ")");
  }

  @Override
  public void sample(String text) {
    samples.add(new RunReport.Sample(evaluated, text));
    bar.say("%s%n", text);
  }

  @Override
  public void picture(byte[] png) {
    pictures.add(Picture.of("Made at step " + evaluated, png));
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
    if (interruption != null) {
      interruption.close();
    }
  }
}
