package dev.jformer.studies.pages;

import dev.jformer.javadoc.Descriptions;
import dev.jformer.studies.catalogue.Goal;
import dev.jformer.studies.catalogue.Paper;
import dev.jformer.studies.catalogue.Technique;
import dev.jformer.studies.evidence.Claim;
import dev.jformer.studies.evidence.Evidence;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * The description of a paper and its technique that {@code jformer papers NAME} prints.
 *
 * @param slug the paper's name on the command line
 * @param title its title
 * @param link the paper's URL; empty if it is not on arXiv
 * @param stage at which the technique is applied
 * @param family name of a group of similar techniques
 * @param status planned, measuring or implemented
 * @param about description of the technique in two lines; empty while it is planned
 * @param when when to use it
 * @param goals that its results measure
 * @param classes the classes that implement it
 * @param switchOn the configuration that switches it on when a model is trained, by variant
 * @param compare the argument of {@code jformer compare --with}; empty if it cannot be compared
 * @param compress the arguments of {@code jformer compress RUN --with}
 * @param command one command to try it
 * @param summary how many of the paper's claims hold here; empty while nothing is recorded
 * @param measured scale, machine and date of the measurements
 * @param verdicts on the claims
 * @param findings gains and costs of the technique
 * @param page the technique's page, relative to the project's folder
 * @param results the page of the results, relative to the project's folder
 */
public record PaperSheet(
    String slug,
    String title,
    String link,
    String stage,
    String family,
    String status,
    List<String> about,
    String when,
    List<String> goals,
    List<ImplementingClass> classes,
    List<SwitchOn> switchOn,
    String compare,
    List<String> compress,
    String command,
    String summary,
    String measured,
    List<ClaimVerdict> verdicts,
    List<Finding> findings,
    String page,
    String results) {
  /**
   * A class that implements a technique.
   *
   * @param name with its package
   * @param summary the first sentence of its Javadoc
   */
  public record ImplementingClass(String name, String summary) {
    private static ImplementingClass of(String name) {
      return new ImplementingClass(name, Descriptions.of(Types.find(name)).summary());
    }
  }

  /**
   * The verdict on a claim.
   *
   * @param claim what is claimed
   * @param verdict for example {@code holds}
   * @param measured the figures
   */
  public record ClaimVerdict(String claim, String verdict, String measured) {
    private static ClaimVerdict of(Claim claim) {
      return new ClaimVerdict(
          claim.sentence(), claim.check().verdict().words(), claim.check().inFull());
    }
  }

  /** Creates the sheet of a paper. */
  public static PaperSheet of(Paper paper) {
    Technique technique = paper.technique();
    Evidence evidence = Results.of(paper.slug()).orElse(null);
    boolean known = evidence != null;
    return new PaperSheet(
        paper.slug(),
        paper.title(),
        paper.link(),
        paper.stage().words(),
        paper.family(),
        paper.status().name().toLowerCase(Locale.ROOT),
        technique.about(),
        technique.when(),
        technique.goals().stream().map(Goal::words).toList(),
        technique.classes().stream().map(ImplementingClass::of).toList(),
        Stream.of(technique.use(), technique.configuration())
            .flatMap(variants -> variants.entrySet().stream())
            .map(variant -> SwitchOn.of(variant.getKey(), variant.getValue()))
            .toList(),
        technique.use().isEmpty() && technique.compress().isEmpty() ? "" : paper.slug(),
        technique.compress(),
        technique.command(),
        known ? evidence.summary() : "",
        known ? measured(evidence) : "",
        known ? evidence.claims().stream().map(ClaimVerdict::of).toList() : List.of(),
        known
            ? technique.results().stream()
                .map(reference -> Finding.of(reference, evidence))
                .toList()
            : List.of(),
        technique.classes().isEmpty() ? "" : "docs/techniques/" + paper.slug() + ".md",
        known ? "docs/results/" + paper.slug() + ".md" : "");
  }

  /** Returns the commands that apply the technique to a trained model. */
  public List<String> compressCommands() {
    return compress.stream()
        .map(with -> "jformer compress RUN --with " + Shell.quote(with) + " --out SMALLER")
        .toList();
  }

  private static String measured(Evidence e) {
    return String.format(
        Locale.ROOT,
        "%s scale, %s, %d thread%s, %s",
        e.scale(),
        e.machine().processor(),
        e.machine().threads(),
        e.machine().threads() == 1 ? "" : "s",
        e.date().substring(0, Math.min(10, e.date().length())));
  }
}
