package dev.jformer.studies.evidence;

import com.fasterxml.jackson.annotation.JsonInclude;

/**
 * A claim and what became of it here. Claims are listed without their study, so the sentence stands
 * alone: it begins with a capital letter, names the technique and what it is compared with.
 *
 * <pre>{@code
 * Claim.that("DenseShift with 3 bits is more accurate than rounding with zero",
 *         Check.above("accuracy (%)", arms.of("DenseShift", points), arms.of("rounding", points)))
 *     .paper("70.6 against 68.2 % on ImageNet (table 2)")
 *     .control("rounding with zero")
 * }</pre>
 *
 * @param sentence what is claimed
 * @param paper the paper's own figure; empty where it gives none
 * @param check the comparison of the values measured in this run
 * @param remark why it does not hold, or what to bear in mind; may be empty
 * @param control the arm that would show the claim to be hollow if it did as well: the technique
 *     doing nothing, an untrained or the simplest model; empty if none was run
 */
public record Claim(
    String sentence,
    String paper,
    Check check,
    String remark,
    @JsonInclude(JsonInclude.Include.NON_EMPTY) String control) {
  /** Claims of earlier versions have no control. */
  public Claim {
    control = control == null ? "" : control;
  }

  /** A claim of which the paper gives no figure. */
  public static Claim that(String sentence, Check check) {
    return new Claim(sentence, "", check, "", "");
  }

  /** The same with the paper's own figure. */
  public Claim paper(String figure) {
    return new Claim(sentence, figure, check, remark, control);
  }

  /** The same with a remark on what was found. */
  public Claim remark(String text) {
    return new Claim(sentence, paper, check, text, control);
  }

  /** The same with the arm that would show it to be hollow. */
  public Claim control(String arm) {
    return new Claim(sentence, paper, check, remark, arm);
  }

  /** Whether the claim holds for the values measured. */
  public boolean holds() {
    return check.holds();
  }
}
