package dev.jformer.studies.evidence;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What measurements say about a claim. */
public enum Verdict {
  /** The values measured are on the claimed side of the bound, by more than chance explains. */
  @JsonProperty("holds")
  HOLDS("holds", "holds"),
  /** They are on the other side, by more than chance explains. */
  @JsonProperty("does not hold")
  DOES_NOT_HOLD("does not hold", "fails"),
  /** The difference is within the spread of the seeds or test items; see {@link Check}. */
  @JsonProperty("not told apart")
  NOT_TOLD_APART("not told apart", "apart"),
  /** At smoke scale nothing is judged. No check gives this; {@link Evidence#verdict} does. */
  @JsonProperty("not judged")
  NOT_JUDGED("not judged", "open");

  private final String words;
  private final String style;

  Verdict(String words, String style) {
    this.words = words;
    this.style = style;
  }

  /** As readers see it, for example {@code does not hold}. */
  public String words() {
    return words;
  }

  /** Name of its class in a page's style sheet. */
  public String style() {
    return style;
  }

  /** The verdict on a statement that is true or false. */
  static Verdict of(boolean holds) {
    return holds ? HOLDS : DOES_NOT_HOLD;
  }
}
