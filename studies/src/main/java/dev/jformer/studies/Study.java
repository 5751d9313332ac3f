package dev.jformer.studies;

/**
 * An experiment that checks whether a paper's claims hold on this machine. Studies are found
 * through {@code @AutoService(Study.class)}; the package's description explains how to write one:
 *
 * <pre>{@code
 * @AutoService(Study.class)
 * public final class ExampleStudy implements Study {
 *   public String slug() { return "example"; }
 *
 *   public void run(ExperimentContext lab) {
 *     Measured<TrainingResult> runs =
 *         Arms.of("example", new Example.Config())
 *             .control("attention", new SoftmaxAttention.Config())
 *             .learn(lab, "language", 3, mixer -> trial(lab.scale(), mixer));
 *     lab.claim("Example learns language better than attention", "2.1 against 2.3 (table 4)",
 *         runs.below("loss", "example", "attention", TrainingResult::finalLoss));
 *     lab.table(runs.table("Language models", "mixer",
 *         column("loss", "nats a byte", TrainingResult::finalLoss)));
 *   }
 * }
 * }</pre>
 */
public interface Study {
  /** Returns the paper's slug in the catalogue. */
  String slug();

  /**
   * Measures and reports the results. Everything that takes time goes through {@link
   * ExperimentContext#measure} or {@link ExperimentContext#learn}, so that an interrupted study
   * resumes.
   */
  void run(ExperimentContext lab);
}
