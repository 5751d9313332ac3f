package dev.jformer.studies;

import com.fasterxml.jackson.databind.JavaType;
import dev.jformer.data.text.TokenFile;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Claim;
import dev.jformer.studies.evidence.Evidence;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Machine;
import dev.jformer.studies.evidence.Picture;
import dev.jformer.studies.evidence.Table;
import dev.jformer.tensor.Scope;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.DoubleConsumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The environment of a running study: its scale and text, the notebook of earlier measurements, and
 * the report that the study fills.
 */
public final class ExperimentContext {
  private final Scale scale;
  private final TokenFile text;
  private final Notebook notebook;
  private final Watcher watcher;
  private final List<Claim> claims = new ArrayList<>();
  private final List<Table> tables = new ArrayList<>();
  private final List<Figure> figures = new ArrayList<>();
  private final List<Picture> pictures = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();
  private final Set<String> versions = new TreeSet<>();
  private String summary = "";
  private double seconds;

  /**
   * Creates a context.
   *
   * @param scale of the experiment
   * @param text real text in byte tokens, vocabulary 256
   * @param notebook saves measurements
   * @param watcher receives the progress
   */
  public ExperimentContext(Scale scale, TokenFile text, Notebook notebook, Watcher watcher) {
    this.scale = scale;
    this.text = text;
    this.notebook = notebook;
    this.watcher = watcher;
  }

  /** The scale of the experiment. */
  public Scale scale() {
    return scale;
  }

  /** Returns the value for the scale of the experiment; see {@link Scale#pick}. */
  public <T> T pick(T smoke, T laptop, T paper) {
    return scale.pick(smoke, laptop, paper);
  }

  /** Real text in byte tokens, vocabulary 256, with a held-out part. */
  public TokenFile text() {
    return text;
  }

  /**
   * Returns the folder of a trained model that studies share; the model is trained at first use.
   * See {@link ReferenceModels}.
   */
  public Path reference(ReferenceModels.Name name) {
    return ReferenceModels.here(scale, watcher).folder(name);
  }

  /**
   * Measures, or returns the result that an earlier session saved under this name at this scale.
   * Runs in a new {@link Scope}.
   *
   * @param name of the measurement and its settings; unique in the study
   * @param kind a record of numbers, texts, lists and records, which is saved as JSON
   */
  public <R extends Record> R measure(String name, Class<R> kind, Supplier<R> measurement) {
    return measure(name, kind, progress -> measurement.get());
  }

  /**
   * As {@link #measure(String, Class, Supplier)}, for a measurement that reports the share that is
   * done, 0 to 1.
   */
  public <R extends Record> R measure(
      String name, Class<R> kind, Function<DoubleConsumer, R> measurement) {
    return remembered(
        name,
        Notebook.type(kind),
        () -> measurement.apply(done -> watcher.progress(name, done, "")));
  }

  /**
   * Measures several arms together, such as models that are made of one trained model; see {@link
   * #measure(String, Class, Function)}.
   *
   * @param kind of the result of an arm
   * @param measurement gives the results by the arm's name
   */
  public <R extends Record> Measured<R> measureTogether(
      String name, Class<R> kind, Function<DoubleConsumer, Map<String, R>> measurement) {
    JavaType results = Notebook.type(LinkedHashMap.class, String.class, kind);
    return Measured.of(
        this.<Map<String, R>>remembered(
            name, results, () -> measurement.apply(done -> watcher.progress(name, done, ""))));
  }

  private <R> R remembered(String name, JavaType kind, Supplier<R> measurement) {
    Notebook.Entry<R> known = notebook.recall(name, kind);
    if (known != null) {
      return count(name, known, true);
    }
    watcher.begin(name);
    long start = System.nanoTime();
    R value;
    try (Scope scope = Scope.open()) {
      value = measurement.get();
    }
    return count(name, notebook.keep(name, value, (System.nanoTime() - start) / 1e9), false);
  }

  private <R> R count(String name, Notebook.Entry<R> entry, boolean known) {
    seconds += entry.seconds();
    if (!entry.version().isEmpty()) {
      versions.add(entry.version());
    }
    watcher.end(name, entry.seconds(), known);
    return entry.value();
  }

  /**
   * Runs a trial once for each seed from 1, or returns the results that an earlier session saved.
   *
   * @param name of the trial; unique in the study. Results are saved as {@code NAME, seed N}.
   */
  public <R extends Record> List<R> learn(String name, Trial<R> trial, int seeds) {
    return learn(name, Notebook.type(trial.kind()), seeds, trial::run);
  }

  /**
   * Measures several arms together once for each seed from 1, such as models that are made of one
   * trained model; see {@link #learn(String, Trial, int)}.
   *
   * @param kind of the result of an arm
   * @param run gives the results by the arm's name
   */
  public <R extends Record> Measured<R> learnTogether(
      String name, Class<R> kind, int seeds, Function<Trial.Session, Map<String, R>> run) {
    JavaType results = Notebook.type(LinkedHashMap.class, String.class, kind);
    return Measured.within(learn(name, results, seeds, run), arms -> arms);
  }

  private <R> List<R> learn(String name, JavaType kind, int seeds, Function<Trial.Session, R> run) {
    List<R> all = new ArrayList<>();
    for (int seed = 1; seed <= seeds; seed++) {
      String each = name + ", seed " + seed;
      Trial.Session session =
          new Trial.Session(
              seed,
              text,
              (done, detail) -> watcher.progress(each, done, detail),
              notebook.unfinished(each));
      all.add(remembered(each, kind, () -> run.apply(session)));
    }
    return all;
  }

  /** Returns the folder for files that belong to measurements, such as trained models. */
  public Path files(String name) {
    return notebook.files(name);
  }

  /** Runs a trial once, with seed 1, or returns its saved result; saved as {@code NAME, seed 1}. */
  public <R extends Record> R learn(String name, Trial<R> trial) {
    return learn(name, trial, 1).get(0);
  }

  /** Adds a claim to the report. */
  public void claim(Claim claim) {
    claims.add(claim);
  }

  /**
   * Adds a claim to the report; see {@link Claim}.
   *
   * @param sentence what is claimed: a complete sentence, starting with a capital letter, that
   *     names what is compared
   * @param paper the paper's own figure; empty if it gives none
   */
  public void claim(String sentence, String paper, Check check) {
    claim(Claim.that(sentence, check).paper(paper));
  }

  /** Adds a claim with its control arm to the report; see {@link Claim#control}. */
  public void claim(String sentence, String paper, String control, Check check) {
    claim(Claim.that(sentence, check).paper(paper).control(control));
  }

  /** As above, with a remark on the result. */
  public void claim(String sentence, String paper, String control, Check check, String remark) {
    claim(Claim.that(sentence, check).paper(paper).control(control).remark(remark));
  }

  /** Adds a claim with a remark on the result. */
  public void claim(String sentence, String paper, Check check, String remark) {
    claim(Claim.that(sentence, check).paper(paper).remark(remark));
  }

  /** Sets the report's summary, one or two sentences; without it the verdicts are counted. */
  public void summary(String sentence) {
    summary = sentence;
  }

  /** Adds a table to the report. */
  public void table(Table table) {
    tables.add(table);
  }

  /** Adds a figure to the report. */
  public void figure(Figure figure) {
    figures.add(figure);
  }

  /** Adds a picture to the report. */
  public void picture(Picture picture) {
    pictures.add(picture);
  }

  /** Adds a note to the report, such as a setting or a limit. */
  public void note(String note) {
    notes.add(note);
  }

  /** As above, with values that are formatted as by {@link String#format}. */
  public void note(String format, Object... values) {
    note(String.format(Locale.ROOT, format, values));
  }

  /**
   * Returns the results so far.
   *
   * @param slug name of the report's files
   * @param command the command that reproduces them
   */
  public Evidence evidence(String slug, String title, String command) {
    return new Evidence(
        slug,
        title,
        scale.name().toLowerCase(Locale.ROOT),
        command,
        String.join(", ", versions),
        Machine.here(),
        Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
        seconds,
        summary.isEmpty() ? verdicts() : summary,
        List.copyOf(claims),
        List.copyOf(tables),
        List.copyOf(figures),
        List.copyOf(notes),
        List.copyOf(pictures));
  }

  private String verdicts() {
    if (scale == Scale.SMOKE) {
      return "A smoke run: it shows that the study works, and judges nothing.";
    }
    return Evidence.summary(claims);
  }
}
