package dev.jformer.app.command;

import dev.jformer.run.RunSummary;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code jformer runs}. */
@Command(
    name = "runs",
    header = "List the runs in a folder",
    description =
        """
        Lists training runs and models derived from them, the latest first: the model, the steps
        that are done, the best metric on held-out data, and the data.
        """,
    footer =
        """
        Examples:
          jformer runs
          jformer runs experiments --json
        """)
final class RunsCommand implements Callable<Integer> {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm", Locale.ROOT);

  @Parameters(
      arity = "0..1",
      paramLabel = "FOLDER",
      description = "The folder that holds the runs (default ${DEFAULT-VALUE}).")
  private Path folder = Path.of("runs");

  @Mixin private JsonOption json;

  /** A run as it is printed. */
  record Row(
      String run,
      String model,
      long step,
      long steps,
      String metric,
      double best,
      String data,
      String changed) {
    static Row of(RunSummary run) {
      return new Row(
          run.folder().toString(),
          run.model(),
          run.step(),
          run.steps(),
          run.metric(),
          run.best(),
          run.data(),
          run.changed().toString());
    }
  }

  @Override
  public Integer call() throws Exception {
    boolean none = folder.equals(Path.of("runs")) && !Files.exists(folder);
    List<RunSummary> runs = none ? List.of() : RunSummary.in(folder);
    json.printer().print(runs.stream().map(Row::of).toList(), rows -> text(runs));
    return 0;
  }

  private String text(List<RunSummary> runs) {
    if (runs.isEmpty()) {
      return "no runs in " + folder + ": 'jformer train' makes one";
    }
    List<List<String>> cells = new ArrayList<>();
    cells.add(List.of("run", "model", "steps", "best validation", "changed", "data"));
    for (RunSummary run : runs) {
      cells.add(
          List.of(
              run.folder().toString(),
              run.model(),
              run.step() == 0 ? "" : run.step() + " of " + run.steps(),
              run.metric().isEmpty()
                  ? ""
                  : Printer.label(run.metric()) + " " + Printer.number(run.best()),
              TIME.format(run.changed().atZone(ZoneId.systemDefault())),
              name(run.data())));
    }
    return Printer.aligned(cells, List.of(false, false, true, false, false, false));
  }

  /** The last part of a path. */
  private static String name(String path) {
    Path name = path.isEmpty() ? null : Path.of(path).getFileName();
    return name == null ? path : name.toString();
  }
}
