package dev.jformer.data.series;

/** How missing rows and values are filled. */
public enum Gaps {
  /** Missing rows and values are an error. */
  ERROR("are an error"),
  /** With the value before; at the beginning, the first value. */
  PREVIOUS("filled with the value before"),
  /** By linear interpolation; at the ends, with the nearest value. */
  LINEAR("filled linearly"),
  /** With zero, as for sales on days without any. */
  ZERO("filled with 0");

  private final String remark;

  Gaps(String remark) {
    this.remark = remark;
  }

  /** The words for it in remarks. */
  public String remark() {
    return remark;
  }
}
