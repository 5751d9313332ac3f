package dev.jformer.studies.catalogue;

/** A goal that a technique can serve. */
public enum Goal {
  /** Lower loss or higher accuracy with equal training. */
  QUALITY("quality"),
  /** Less time for a training step, or fewer steps to the same loss. */
  TRAINING_TIME("training time"),
  /** Less time to decode, or to compute a prediction. */
  DECODING_TIME("decoding time"),
  /** Fewer bytes in memory, in training or inference. */
  MEMORY("memory"),
  /** Fewer bytes on disk. */
  DISK("bytes on disk");

  private final String words;

  Goal(String words) {
    this.words = words;
  }

  /** The goal in plain words. */
  public String words() {
    return words;
  }
}
