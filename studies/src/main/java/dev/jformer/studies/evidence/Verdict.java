package dev.jformer.studies.evidence;

import com.fasterxml.jackson.annotation.JsonProperty;

/** The verdict on a claim: holds, does not hold, or not told apart. */
public enum Verdict {
  /** The measured values are on the claimed side of the bound by more than chance explains. */
  @JsonProperty("holds")
  HOLDS("holds", "holds"),
  /** The measured values are on the other side of the bound by more than chance explains. */
  @JsonProperty("does not hold")
  DOES_NOT_HOLD("does not hold", "fails"),
  /** The difference is within the spread of the seeds or test items; see {@link Check}. */
  @JsonProperty("not told apart")
  NOT_TOLD_APART("not told apart", "apart"),
  /**
   * The study ran at smoke scale, which is not judged; only {@link Evidence#verdict} returns this.
   */
  @JsonProperty("not judged")
  NOT_JUDGED("not judged", "open");

  private final String words;
  private final String style;

  Verdict(String words, String style) {
    this.words = words;
    this.style = style;
  }

  /** The verdict as text, for example {@code does not hold}. */
  public String words() {
    return words;
  }

  /** The name of the verdict's class in the style sheet. */
  public String style() {
    return style;
  }

  /** Converts a boolean to {@link #HOLDS} or {@link #DOES_NOT_HOLD}. */
  static Verdict of(boolean holds) {
    return holds ? HOLDS : DOES_NOT_HOLD;
  }
}
