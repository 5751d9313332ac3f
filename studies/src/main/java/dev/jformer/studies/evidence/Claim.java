package dev.jformer.studies.evidence;

/**
 * A claim and what became of it here.
 *
 * @param sentence what is claimed
 * @param paper the paper's own figure; empty where it gives none
 * @param check the predicate over the values measured in this run
 * @param remark why it does not hold, or what to bear in mind; may be empty
 */
public record Claim(String sentence, String paper, Check check, String remark) {
  /** Whether the claim holds for the values measured. */
  public boolean holds() {
    return check.holds();
  }
}
