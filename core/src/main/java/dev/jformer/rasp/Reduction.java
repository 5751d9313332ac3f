package dev.jformer.rasp;

/** What attention makes of the values that match. */
public enum Reduction {
  /** Their mean, rounded towards zero. */
  MEAN,
  /** The largest. */
  MAX,
  /** The smallest. */
  MIN;

  /** Joins what was found before with another value; the mean is a sum until it is divided. */
  long join(long found, int value) {
    return switch (this) {
      case MEAN -> found + value;
      case MAX -> Math.max(found, value);
      case MIN -> Math.min(found, value);
    };
  }

  int end(long found, int count) {
    return (int) (this == MEAN ? found / count : found);
  }
}
