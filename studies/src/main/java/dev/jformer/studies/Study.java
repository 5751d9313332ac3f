package dev.jformer.studies;

/**
 * The experiment that shows whether a paper's claims hold here. A study is found by
 * {@code @AutoService(Study.class)}; the package's description says how one is written:
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
  /** The paper's name in the catalogue. */
  String slug();

  /**
   * Measures, and says what was found. Everything that takes time goes through {@link
   * ExperimentContext#measure} or {@link ExperimentContext#learn}, so that an interrupted study
   * goes on where it was.
   */
  void run(ExperimentContext lab);
}
