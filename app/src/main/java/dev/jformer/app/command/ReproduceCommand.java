package dev.jformer.app.command;

import dev.jformer.data.text.Corpus;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.io.AtomicFile;
import dev.jformer.io.FileTree;
import dev.jformer.io.FolderLock;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Notebook;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Studies;
import dev.jformer.studies.Study;
import dev.jformer.studies.catalogue.Catalogue;
import dev.jformer.studies.evidence.Evidence;
import dev.jformer.studies.evidence.Machine;
import dev.jformer.studies.report.Report;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jformer reproduce}. */
@Command(
    name = "reproduce",
    header = "Measure whether the claims of a paper hold here",
    footer =
        """
        Examples:
          jformer reproduce primer
          jformer reproduce flowformer urpe --data input.txt --out docs/results
          jformer reproduce --all --scale smoke

        'jformer papers' lists the names. Measurements are kept: the same command continues an
        interrupted study. After a change of the program, --fresh measures everything again.
        """)
final class ReproduceCommand implements Callable<Integer> {
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(5);

  @Parameters(
      paramLabel = "PAPER",
      arity = "0..*",
      completionCandidates = Completion.Studied.class,
      description = "Names of papers; see 'jformer papers'.")
  private List<String> slugs = new ArrayList<>();

  @Option(names = "--all", description = "All papers that have a study.")
  private boolean all;

  @Option(
      names = "--scale",
      paramLabel = "SCALE",
      description =
          "smoke takes seconds and proves nothing; laptop takes minutes on two cores; paper is as"
              + " large as data and hardware allow (default laptop).")
  private Scale scale = Scale.LAPTOP;

  @Option(
      names = "--data",
      paramLabel = "PATH",
      description = "Text for language models (default: the Java sources of the build).")
  private Path data;

  @Option(
      names = "--out",
      paramLabel = "FOLDER",
      description = "The folder of the reports (default runs/studies/SCALE).")
  private Path out;

  @Option(
      names = "--fresh",
      description = "Measure everything again, also what earlier runs have measured.")
  private boolean fresh;

  @Mixin private QuietOption progress;

  @Mixin private JsonOption json;

  @Override
  public Integer call() throws Exception {
    List<Study> studies = chosen();
    Console console = progress.console();
    String name = scale.name().toLowerCase(Locale.ROOT);
    Path work = Path.of("runs", "studies", name);
    Path reports = out == null ? work : out;
    List<Evidence> found = new ArrayList<>();
    try (TokenFile text = text(work, console)) {
      for (Study study : studies) {
        Path notes = work.resolve("notes").resolve(study.slug());
        Notebook notebook = new Notebook(notes, conditions(text), Version.here());
        console.say("%s: %s", study.slug(), Catalogue.paper(study.slug()).title());
        FileTree.createFolder(notes);
        try (FolderLock lock = FolderLock.acquire(notes);
            StudyProgress progress = new StudyProgress(console)) {
          if (fresh) {
            notebook.forget();
          }
          notebook.tidy();
          ExperimentContext lab = new ExperimentContext(scale, text, notebook, progress);
          Evidence evidence = Studies.run(study, lab, command(study));
          write(evidence, reports);
          found.add(evidence);
          if (!json.isSet()) {
            System.out.println(Report.text(evidence));
          }
          console.say("report: %s%n", reports.resolve(study.slug() + ".html"));
        }
      }
    }
    if (json.isSet()) {
      json.printer().print(found);
    }
    return 0;
  }

  /** Writes a report; other processes may write theirs to the same folder. */
  private static void write(Evidence evidence, Path reports) throws IOException {
    FileTree.createFolder(reports);
    try (FolderLock lock = FolderLock.await(reports, LONGEST_WAIT)) {
      AtomicFile.sweep(reports);
      Report.write(evidence, reports);
    }
  }

  private static String names(Map<String, Study> studies) {
    return String.join(", ", studies.keySet());
  }

  private List<Study> chosen() {
    Map<String, Study> known = Studies.all();
    if (all == !slugs.isEmpty()) {
      throw new CommandException(
          "name one or more papers, or give --all: there are studies of " + names(known));
    }
    if (all) {
      return List.copyOf(known.values());
    }
    List<Study> studies = new ArrayList<>();
    for (String slug : slugs) {
      Study study = known.get(Catalogue.paper(slug).slug());
      if (study == null) {
        throw new CommandException(
            "'" + slug + "' is planned and has no study yet: there are studies of " + names(known));
      }
      studies.add(study);
    }
    return studies;
  }

  private TokenFile text(Path work, Console console) throws IOException {
    Path source = data == null ? DefaultCorpus.find() : data;
    List<String> endings = data == null ? List.of(".java") : List.of();
    Corpus corpus = Corpus.open(source, endings);
    String folder = "text-" + Integer.toHexString(source.toAbsolutePath().toString().hashCode());
    Path place = work.resolve(folder);
    FileTree.createFolder(place);
    try (FolderLock lock = FolderLock.await(place, LONGEST_WAIT);
        Console.Bar bar = console.begin("tokenizing", corpus.bytes(), "bytes")) {
      AtomicFile.sweep(place);
      return TokenFile.prepare(place, corpus, new ByteTokenizer(), 0.1, bytes -> bar.at(bytes, ""));
    }
  }

  private String conditions(TokenFile text) {
    return scale + "; text " + text.header().fingerprint() + "; " + Machine.here();
  }

  private String command(Study study) {
    StringBuilder command = new StringBuilder("jformer reproduce ").append(study.slug());
    if (scale != Scale.LAPTOP) {
      command.append(" --scale ").append(scale.name().toLowerCase(Locale.ROOT));
    }
    if (data != null) {
      command.append(" --data ").append(data.getFileName());
    }
    return command.toString();
  }
}
