package dev.jformer.data.algorithm;

/** What the labels of a sequence are. */
public enum LabellingTask {
  /** The numbers from the last to the first. */
  REVERSE,
  /** How often each number occurs. */
  HISTOGRAM,
  /** How many different numbers occur as often as each. */
  DOUBLE_HISTOGRAM,
  /** The numbers in order. */
  SORT,
  /**
   * The different numbers, the most frequent first; of equals the one seen first. The rest is
   * filled with the first token.
   */
  MOST_FREQUENT,
  /** Whether round brackets are balanced, open or wrong so far: T, P or F. */
  DYCK_1,
  /** The same with two kinds of brackets. */
  DYCK_2,
  /**
   * In-context recall: letters are followed by their numbers, which are drawn anew for each
   * sequence; a letter's label is its number, or a question mark at its first occurrence.
   */
  RECALL;

  boolean isDyck() {
    return this == DYCK_1 || this == DYCK_2;
  }

  /** Whether a token marks the end: labels depend on where it is. */
  boolean hasEnd() {
    return this == REVERSE || this == SORT;
  }
}
