package dev.jformer.studies;

import java.util.Locale;

/**
 * An experiment that checks whether a paper's claims hold on this machine. Studies are found
 * through {@code @AutoService(Study.class)}; the package's description explains how to write one:
 *
 * <pre>{@code
 * @AutoService(Study.class)
 * public final class ExampleStudy implements Study {
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
  /**
   * Returns the paper's slug in the catalogue: by default the name of the class without {@code
   * Study}, in lower case with hyphens. {@code LlmInt8Study} has the slug {@code llm-int8}.
   */
  default String slug() {
    return getClass()
        .getSimpleName()
        .replaceFirst("Study$", "")
        .replaceAll("(?<=.)(?=\\p{Lu})", "-")
        .toLowerCase(Locale.ROOT);
  }

  /**
   * Measures and reports the results. Everything that takes time goes through {@link
   * ExperimentContext#measure} or {@link ExperimentContext#learn}, so that an interrupted study
   * resumes.
   */
  void run(ExperimentContext lab);
}
