package dev.jformer.studies.evidence;

import com.fasterxml.jackson.annotation.JsonInclude;

/**
 * A claim of a paper with its verdict. Claims are also listed without their study, so write a
 * complete sentence that starts with a capital letter and names the technique and what it is
 * compared with.
 *
 * <pre>{@code
 * Claim.that("DenseShift with 3 bits is more accurate than rounding with zero",
 *         Check.above("accuracy (%)", arms.of("DenseShift", points), arms.of("rounding", points)))
 *     .paper("70.6 against 68.2 % on ImageNet (table 2)")
 *     .control("rounding with zero")
 * }</pre>
 *
 * @param sentence what is claimed
 * @param paper the paper's own figure; empty if it gives none
 * @param check the comparison of the values measured here
 * @param remark why the claim does not hold, or a limit of the result; may be empty
 * @param control the arm that disproves the claim if it does as well as the technique: the
 *     technique switched off, an untrained or the simplest model; empty if there is none
 */
public record Claim(
    String sentence,
    String paper,
    Check check,
    String remark,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) String control) {
  /** Replaces a missing control, as in files of earlier versions, by an empty one. */
  public Claim {
    control = control == null ? "" : control;
  }

  /** Creates a claim without the paper's figure, remark and control. */
  public static Claim that(String sentence, Check check) {
    return new Claim(sentence, "", check, "", "");
  }

  /** Returns this claim with the paper's own figure. */
  public Claim paper(String figure) {
    return new Claim(sentence, figure, check, remark, control);
  }

  /** Returns this claim with a remark on the result. */
  public Claim remark(String text) {
    return new Claim(sentence, paper, check, text, control);
  }

  /** Returns this claim with its control arm. */
  public Claim control(String arm) {
    return new Claim(sentence, paper, check, remark, arm);
  }

  /** Whether the claim holds for the values measured. */
  public boolean holds() {
    return check.holds();
  }
}
