package dev.jformer.studies.evidence;

import java.util.List;

/**
 * All that a study measured.
 *
 * @param slug the paper's name in the catalogue, or what else was compared
 * @param title what it is about
 * @param scale smoke, laptop or paper; empty where there is no such thing
 * @param command what reproduces it
 * @param version of the program that measured; empty if unknown
 * @param machine where it ran
 * @param date when it ended, ISO 8601
 * @param seconds time spent measuring, over all sessions
 * @param summary what came out, in a sentence or two
 * @param claims with verdicts
 * @param tables measured values
 * @param figures the same, drawn
 * @param notes what a reader should know: settings, deviations from the paper, limits
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
    List<String> notes) {
  /** What is said of a claim: at smoke scale nothing is judged. */
  public Verdict verdict(Claim claim) {
    return scale.equals("smoke") ? Verdict.NOT_JUDGED : claim.check().verdict();
  }

  /**
   * The verdicts in a sentence, for example {@code 3 of 5 claims hold here, 1 is not told apart.}
   */
  public static String summary(List<Claim> claims) {
    long held = claims.stream().filter(Claim::holds).count();
    long open = claims.stream().filter(c -> c.check().verdict() == Verdict.NOT_TOLD_APART).count();
    String rest = open == 0 ? "" : ", " + open + (open == 1 ? " is" : " are") + " not told apart";
    return held + " of " + claims.size() + " claims hold here" + rest + ".";
  }
}
