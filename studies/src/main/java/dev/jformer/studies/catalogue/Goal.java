package dev.jformer.studies.catalogue;

/** What a technique can be good for. */
public enum Goal {
  /** Lower loss, higher accuracy, at equal training. */
  QUALITY("quality"),
  /** Less time for a training step, or fewer steps to the same loss. */
  TRAINING_TIME("training time"),
  /** Less time to decode, or to compute a prediction. */
  DECODING_TIME("decoding time"),
  /** Fewer bytes in memory, in training or in use. */
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
