package dev.jformer.data.series;

/** What becomes of missing rows and values. */
public enum Gaps {
  /** They are an error. */
  ERROR("are an error"),
  /** The value before; at the beginning, the first there is. */
  PREVIOUS("filled with the value before"),
  /** On a line between the values before and after; at the ends, the nearest. */
  LINEAR("filled linearly"),
  /** Zero, as for sales on days without any. */
  ZERO("filled with 0");

  private final String deed;

  Gaps(String deed) {
    this.deed = deed;
  }

  /** What is done, as a remark tells it. */
  public String deed() {
    return deed;
  }
}
