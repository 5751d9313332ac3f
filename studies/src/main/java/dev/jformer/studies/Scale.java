package dev.jformer.studies;

/** The size of an experiment. */
public enum Scale {
  /** Takes seconds and shows that the study runs; gives no verdicts. */
  SMOKE,
  /** Takes at most about ten minutes on two cores; claims are judged at this scale. */
  LAPTOP,
  /** Uses the paper's own configuration, as far as data and hardware allow. */
  PAPER;

  /** Returns the value for this scale. */
  public <T> T pick(T smoke, T laptop, T paper) {
    return switch (this) {
      case SMOKE -> smoke;
      case LAPTOP -> laptop;
      case PAPER -> paper;
    };
  }
}
