package dev.jformer.studies.evidence;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;

/**
 * The results of a study.
 *
 * @param slug the paper's name in the catalogue, or {@code compare} for a comparison
 * @param title the paper's title, or what was compared
 * @param scale smoke, laptop or paper; empty if there is none
 * @param command the command that reproduces it
 * @param version of the program that measured; empty if unknown
 * @param machine that it ran on
 * @param date when it ended, ISO 8601
 * @param seconds time spent measuring, over all sessions
 * @param summary the result in one or two sentences
 * @param claims with verdicts
 * @param tables measured values
 * @param figures plots of measured values
 * @param notes settings, deviations from the paper, limits
 * @param pictures images that models made; empty for most studies
 */
public record Evidence(
    String slug,
    String title,
    String scale,
    String command,
    String version,
    Machine machine,
    String date,
    double seconds,
    String summary,
    List<Claim> claims,
    List<Table> tables,
    List<Figure> figures,
    List<String> notes,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) List<Picture> pictures) {
  /** Replaces missing pictures, as in files of earlier versions, by none. */
  public Evidence {
    pictures = pictures == null ? List.of() : pictures;
  }

  /** Results without pictures. */
  public Evidence(
      String slug,
      String title,
      String scale,
      String command,
      String version,
      Machine machine,
      String date,
      double seconds,
      String summary,
      List<Claim> claims,
      List<Table> tables,
      List<Figure> figures,
      List<String> notes) {
    this(
        slug, title, scale, command, version, machine, date, seconds, summary, claims, tables,
        figures, notes, List.of());
  }

  /** The verdict on a claim; {@link Verdict#NOT_JUDGED} at smoke scale. */
  public Verdict verdict(Claim claim) {
    return scale.equals("smoke") ? Verdict.NOT_JUDGED : claim.check().verdict();
  }

  /**
   * Summarizes the verdicts in a sentence, for example {@code 3 of 5 claims hold here, 1 is not
   * told apart.}
   */
  public static String summary(List<Claim> claims) {
    long held = claims.stream().filter(Claim::holds).count();
    long open = claims.stream().filter(c -> c.check().verdict() == Verdict.NOT_TOLD_APART).count();
    String rest = open == 0 ? "" : ", " + open + (open == 1 ? " is" : " are") + " not told apart";
    return held + " of " + claims.size() + " claims hold here" + rest + ".";
  }
}
