package dev.jformer.studies;

import dev.jformer.data.text.TokenFile;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Claim;
import dev.jformer.studies.evidence.Evidence;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Machine;
import dev.jformer.studies.evidence.Table;
import dev.jformer.tensor.Scope;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.DoubleConsumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * What a study works with: its scale, its text, a notebook that remembers, and a report to fill.
 */
public final class ExperimentContext {
  private final Scale scale;
  private final TokenFile text;
  private final Notebook notebook;
  private final Watcher watcher;
  private final List<Claim> claims = new ArrayList<>();
  private final List<Table> tables = new ArrayList<>();
  private final List<Figure> figures = new ArrayList<>();
  private final List<String> notes = new ArrayList<>();
  private final Set<String> versions = new TreeSet<>();
  private String summary = "";
  private double seconds;

  /**
   * A laboratory.
   *
   * @param text real text in byte tokens, vocabulary 256
   * @param notebook where measurements are kept
   */
  public ExperimentContext(Scale scale, TokenFile text, Notebook notebook, Watcher watcher) {
    this.scale = scale;
    this.text = text;
    this.notebook = notebook;
    this.watcher = watcher;
  }

  /** How large the experiment shall be. */
  public Scale scale() {
    return scale;
  }

  /** Real text in byte tokens, vocabulary 256, with a part held out. */
  public TokenFile text() {
    return text;
  }

  /**
   * The folder of a trained model that studies share, which is trained at first use; see {@link
   * ReferenceModels}.
   */
  public Path reference(ReferenceModels.Name name) {
    return ReferenceModels.here(scale, watcher).folder(name);
  }

  /**
   * Measures, or recalls what an earlier session measured under this name at this scale. Runs in a
   * {@link Scope} of its own.
   *
   * @param name says what is measured with which settings; unique in the study
   * @param kind a record of numbers, texts, lists and records, which is kept as JSON
   */
  public <R extends Record> R measure(String name, Class<R> kind, Supplier<R> measurement) {
    return measure(name, kind, progress -> measurement.get());
  }

  /** As {@link #measure(String, Class, Supplier)}; the measurement says which share is done. */
  public <R extends Record> R measure(
      String name, Class<R> kind, Function<DoubleConsumer, R> measurement) {
    return remembered(
        name, kind, () -> measurement.apply(done -> watcher.progress(name, done, "")));
  }

  private <R> R remembered(String name, Class<R> kind, Supplier<R> measurement) {
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
   * Runs a trial once for each seed from 1, or recalls what an earlier session found.
   *
   * @param name of what is tried; unique in the study. Results are kept as {@code NAME, seed N}.
   */
  public <R extends Record> List<R> learn(String name, Trial<R> trial, int seeds) {
    List<R> all = new ArrayList<>();
    for (int seed = 1; seed <= seeds; seed++) {
      String each = name + ", seed " + seed;
      Trial.Session session =
          new Trial.Session(
              seed,
              text,
              (done, detail) -> watcher.progress(each, done, detail),
              notebook.unfinished(each));
      all.add(remembered(each, trial.kind(), () -> trial.run(session)));
    }
    return all;
  }

  /** A folder for files that belong to measurements, such as trained models. */
  public Path files(String name) {
    return notebook.files(name);
  }

  /** Runs a trial once, with seed 1, or recalls it; kept as {@code NAME, seed 1}. */
  public <R extends Record> R learn(String name, Trial<R> trial) {
    return learn(name, trial, 1).get(0);
  }

  /** Records a claim. */
  public void claim(Claim claim) {
    claims.add(claim);
  }

  /**
   * Records a claim; see {@link Claim}.
   *
   * @param sentence stands alone: it begins with a capital letter and names what is compared
   * @param paper the paper's own figure; empty where it gives none
   */
  public void claim(String sentence, String paper, Check check) {
    claim(Claim.that(sentence, check).paper(paper));
  }

  /** Records a claim with the arm that would show it to be hollow; see {@link Claim#control}. */
  public void claim(String sentence, String paper, String control, Check check) {
    claim(Claim.that(sentence, check).paper(paper).control(control));
  }

  /** As above, with a remark on what was found. */
  public void claim(String sentence, String paper, String control, Check check, String remark) {
    claim(Claim.that(sentence, check).paper(paper).control(control).remark(remark));
  }

  /** Records a claim with a remark on what was found. */
  public void claim(String sentence, String paper, Check check, String remark) {
    claim(Claim.that(sentence, check).paper(paper).remark(remark));
  }

  /** Says in a sentence or two what came out. */
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

  /** Adds what a reader should know. */
  public void note(String note) {
    notes.add(note);
  }

  /**
   * What was found until now.
   *
   * @param slug name of the report's files
   * @param command what reproduces it
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
        List.copyOf(notes));
  }

  private String verdicts() {
    if (scale == Scale.SMOKE) {
      return "A smoke run: it shows that the study works, and judges nothing.";
    }
    return Evidence.summary(claims);
  }
}
