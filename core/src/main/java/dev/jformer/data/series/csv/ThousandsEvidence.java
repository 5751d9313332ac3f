package dev.jformer.data.series.csv;

/**
 * Evidence in a whole file that its decimal sign separates thousands; see {@link ThousandsSign},
 * which sees its beginning only.
 */
final class ThousandsEvidence {
  private final boolean[] small;
  private final boolean[] likeThousands;
  private final boolean[] whole;
  private boolean decimal;

  ThousandsEvidence(int variables) {
    small = new boolean[variables];
    likeThousands = new boolean[variables];
    whole = new boolean[variables];
  }

  /** Adds a number of a variable. */
  void add(int variable, NumberText.Shape shape) {
    switch (shape) {
      case SMALL -> small[variable] = true;
      case LIKE_THOUSANDS -> likeThousands[variable] = true;
      case WHOLE -> whole[variable] = true;
      case DECIMAL -> decimal = true;
    }
  }

  boolean isFound() {
    for (int v = 0; v < small.length && !decimal; v++) {
      if (small[v] && likeThousands[v] && !whole[v]) {
        return true;
      }
    }
    return false;
  }
}
