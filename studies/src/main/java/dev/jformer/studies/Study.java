package dev.jformer.studies;

/**
 * The experiment that shows whether a paper's claims hold here. A study is found by
 * {@code @AutoService(Study.class)} and says what it measures in the language of {@link
 * ExperimentContext}:
 *
 * <pre>{@code
 * @AutoService(Study.class)
 * public final class ExampleStudy implements Study {
 *   public String slug() { return "example"; }
 *
 *   public void run(ExperimentContext lab) {
 *     int steps = lab.scale().pick(3, 600, 100_000);
 *     List<Learned> plain = lab.learn("plain", trial(new SoftmaxAttention.Config(), steps), 3);
 *     List<Learned> ours = lab.learn("example", trial(new Example.Config(), steps), 3);
 *     lab.claim("learns better than attention", "2.1 against 2.3 (table 4)",
 *         Check.below("loss", Learned.loss(ours), Learned.loss(plain)));
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
