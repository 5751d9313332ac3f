package dev.jformer.app.command;

import dev.jformer.config.Configs;
import dev.jformer.io.AtomicFile;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.run.DataSummary;
import dev.jformer.run.Recipe;
import dev.jformer.run.RunDescription;
import dev.jformer.run.RunResult;
import dev.jformer.run.TrainingOutcome;
import dev.jformer.run.TrainingOutcome.Loss;
import dev.jformer.run.TrainingOutcome.Measurement;
import dev.jformer.studies.evidence.Evidence;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Machine;
import dev.jformer.studies.evidence.Picture;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.report.Appendix;
import dev.jformer.studies.report.Report;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/**
 * The report of a training: losses, metrics and speed as figures, the result, samples of the
 * model's output, and the recipe.
 *
 * @param recipe of the run
 * @param description of its model and data
 * @param result how it ended
 * @param samples of this session, in order; empty if there are none
 * @param pictures of what the model made in this session, in order; empty if there are none
 */
record RunReport(
    Recipe recipe,
    RunDescription description,
    RunResult result,
    List<RunReport.Sample> samples,
    List<Picture> pictures) {
  /** The name of the report in the run's folder. */
  static final String FILE = "report.html";

  private static final int FEWEST_POINTS = 2;

  /**
   * A sample of the model's output.
   *
   * @param step after which update
   */
  record Sample(long step, String text) {}

  /** Writes the report to the run's folder. */
  void write(Path folder) throws IOException {
    List<Appendix> appendices = new ArrayList<>();
    samples.forEach(
        sample -> appendices.add(new Appendix("Sample at step " + sample.step(), sample.text())));
    appendices.add(new Appendix("Recipe", Configs.toJson(recipe)));
    String page = Report.html(evidence(folder), appendices);
    AtomicFile.write(folder.resolve(FILE), page.getBytes(StandardCharsets.UTF_8));
  }

  private Evidence evidence(Path folder) {
    List<Table> tables = new ArrayList<>(List.of(training()));
    if (!result.test().isEmpty()) {
      tables.add(test());
    }
    return new Evidence(
        "report",
        folder.getFileName() + ": " + description.model(),
        "",
        "jformer train --recipe " + folder.resolve("recipe.json"),
        Version.here(),
        Machine.here(),
        Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
        result.training().seconds(),
        summary(),
        List.of(),
        tables,
        figures(),
        List.of(),
        pictures);
  }

  private String summary() {
    TrainingOutcome training = result.training();
    String ending =
        switch (training.ending()) {
          case COMPLETED -> "Trained for " + training.steps() + " steps";
          case STOPPED_EARLY -> "Stopped early at step " + training.steps();
          case INTERRUPTED, DIVERGED -> "Interrupted at step " + training.steps();
        };
    return training.best() == null
        ? ending + ", before the first evaluation."
        : ending
            + "; best validation "
            + MetricsText.of(training.best())
            + ", at step "
            + training.bestStep()
            + ".";
  }

  private Table training() {
    TrainingOutcome training = result.training();
    DataSummary data = description.data();
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("model", description.model()));
    rows.add(List.of("data", data.source()));
    rows.add(List.of("to train on", Printer.count(data.training()) + " " + data.unit()));
    rows.add(List.of("held out", Printer.count(data.heldOut()) + " " + data.unit()));
    rows.add(
        List.of("steps", training.steps() + " of " + Printer.count(recipe.training().steps())));
    rows.add(List.of("time of training", Console.duration(training.seconds())));
    if (Double.isFinite(training.unitsPerSecond()) && training.unitsPerSecond() > 0) {
      rows.add(
          List.of(
              "speed",
              Printer.number(training.unitsPerSecond()) + " " + description.unit() + "/s"));
    }
    return new Table("Training", List.of("", "value"), rows);
  }

  private Table test() {
    List<Metric> columns = result.test().values().iterator().next().all();
    List<String> header = new ArrayList<>(List.of("on test data"));
    columns.forEach(metric -> header.add(Printer.label(metric.name())));
    List<List<String>> rows = new ArrayList<>();
    result
        .test()
        .forEach(
            (model, metrics) -> {
              List<String> row = new ArrayList<>(List.of(model));
              metrics.all().forEach(metric -> row.add(MetricsText.value(metric)));
              rows.add(row);
            });
    return new Table("Test", header, rows);
  }

  // ---- Figures

  private List<Figure> figures() {
    List<Figure> figures = new ArrayList<>();
    TrainingOutcome training = result.training();
    List<Figure.Series> losses = new ArrayList<>();
    add(losses, Figure.Series.line("training", training.losses(), Loss::step, Loss::value));
    add(
        losses,
        Figure.Series.line(
            "validation", training.evaluations(), Measurement::step, m -> m.metrics().loss()));
    if (!losses.isEmpty()) {
      figures.add(Figure.of("Losses", "step", "loss", losses));
    }
    if (training.best() != null && training.best().primary().higherIsBetter()) {
      figures.addAll(primary(training));
    }
    figures.addAll(speed(training));
    return figures;
  }

  private static List<Figure> primary(TrainingOutcome training) {
    Metrics best = training.best();
    String name = Printer.label(best.primary().name());
    Figure.Series line =
        Figure.Series.line(
            name,
            training.evaluations(),
            Measurement::step,
            m -> MetricsText.number(m.metrics().primary()));
    String unit = MetricsText.unit(best.primary());
    List<Figure.Series> lines = new ArrayList<>();
    add(lines, line);
    return lines.isEmpty()
        ? List.of()
        : List.of(
            Figure.of(
                "Validation " + name,
                "step",
                unit.isEmpty() ? name : name + " (" + unit + ")",
                lines));
  }

  /** Units a second between the losses that were recorded. */
  private List<Figure> speed(TrainingOutcome training) {
    List<Long> steps = new ArrayList<>();
    List<Double> speeds = new ArrayList<>();
    for (int i = 1; i < training.losses().size(); i++) {
      Loss before = training.losses().get(i - 1);
      Loss now = training.losses().get(i);
      double seconds = now.seconds() - before.seconds();
      if (seconds > 0) {
        steps.add(now.step());
        speeds.add((now.step() - before.step()) * training.unitsPerStep() / seconds);
      }
    }
    if (steps.size() < FEWEST_POINTS) {
      return List.of();
    }
    String unit = description.unit() + "/s";
    return List.of(Figure.of("Speed", "step", unit, Figure.Series.line(unit, steps, speeds)));
  }

  private static void add(List<Figure.Series> lines, Figure.Series line) {
    if (line.x().size() >= FEWEST_POINTS) {
      lines.add(line);
    }
  }
}
