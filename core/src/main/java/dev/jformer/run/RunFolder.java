package dev.jformer.run;

/** The names of the files in a run's folder. */
final class RunFolder {
  static final String RECIPE = "recipe.json";
  static final String METRICS = "metrics.jsonl";
  static final String PRETRAINING_METRICS = "pretraining.jsonl";

  /** Of checkpoints of the pretraining, among the checkpoints. */
  static final String PRETRAINING = "pretraining";

  static final String CHECKPOINTS = "checkpoints";
  static final String DATA = "data";

  private RunFolder() {}
}
