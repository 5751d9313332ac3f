package dev.jformer.studies.report;

import dev.jformer.studies.evidence.Claim;

/** What is said of a claim. */
enum Verdict {
  HOLDS("holds", "holds"),
  FAILS("does not hold", "fails"),
  /** At smoke scale nothing is judged. */
  OPEN("not judged", "open");

  private final String words;
  private final String style;

  Verdict(String words, String style) {
    this.words = words;
    this.style = style;
  }

  static Verdict of(Claim claim, String scale) {
    return scale.equals("smoke") ? OPEN : claim.holds() ? HOLDS : FAILS;
  }

  String words() {
    return words;
  }

  String style() {
    return style;
  }
}
