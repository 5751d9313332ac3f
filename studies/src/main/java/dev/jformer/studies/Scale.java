package dev.jformer.studies;

/** How large an experiment is. */
public enum Scale {
  /** Seconds: shows that the study runs. Its verdicts are no evidence. */
  SMOKE,
  /** At most about ten minutes on two cores: here claims are judged. */
  LAPTOP,
  /** The paper's own configuration, as far as data and hardware allow. */
  PAPER;

  /** The value for this scale. */
  public <T> T pick(T smoke, T laptop, T paper) {
    return switch (this) {
      case SMOKE -> smoke;
      case LAPTOP -> laptop;
      case PAPER -> paper;
    };
  }
}
