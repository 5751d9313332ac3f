package dev.jformer.data.decision;

/**
 * A batch of interactions with environments, in arrays without a gap.
 *
 * @param count B, the number of interactions
 * @param steps T, the actions of one
 * @param observations what was seen before each action [B, T, o]
 * @param actions what was done [B, T]
 * @param outcomes what describes each action, and its reward [B, T, k + 1]
 * @param labels the actions to be predicted [B, T]
 * @param regrets the expected return that each action lost [B, T]
 */
@SuppressWarnings("ArrayRecordComponent")
public record Interactions(
    int count,
    int steps,
    float[] observations,
    long[] actions,
    float[] outcomes,
    long[] labels,
    double[] regrets) {
  /** Creates interactions of zeros. */
  static Interactions of(int count, DecisionProblem<?> problem) {
    int all = Math.multiplyExact(count, problem.steps());
    return new Interactions(
        count,
        problem.steps(),
        new float[Math.multiplyExact(all, problem.observations())],
        new long[all],
        new float[Math.multiplyExact(all, problem.descriptions() + 1)],
        new long[all],
        new double[all]);
  }
}
