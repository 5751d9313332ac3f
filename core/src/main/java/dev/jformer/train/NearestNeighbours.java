package dev.jformer.train;

import dev.jformer.config.Checks;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * A probe of features without training: the class that most of the k nearest examples have, by the
 * cosine of the angle between features. Used so in <a
 * href="https://arxiv.org/abs/2104.14294">Emerging Properties in Self-Supervised Vision
 * Transformers</a> and in <a href="https://arxiv.org/abs/2302.12091">Random Teachers are Good
 * Teachers</a>.
 *
 * @param neighbours k
 */
public record NearestNeighbours(int neighbours) {
  private static final int TOGETHER = 256;

  /** Twenty neighbours. */
  public NearestNeighbours() {
    this(20);
  }

  /** Checks the number. */
  public NearestNeighbours {
    Checks.atLeast("neighbours", neighbours, 1);
  }

  /**
   * The share of test examples whose neighbours vote for the right class; of equal votes the class
   * with the lowest number wins.
   *
   * @param features [N, D] of the examples
   * @param labels [N], from 0
   * @param test [M, D]
   * @param right [M]
   * @return 0 to 1
   */
  public double accuracy(Tensor features, int[] labels, Tensor test, int[] right) {
    Probes.check(features, labels, test, right);
    if (neighbours > labels.length) {
      throw new IllegalArgumentException(
          "there are " + labels.length + " examples for " + neighbours + " neighbours");
    }
    int classes = Probes.classes(labels, right);
    int hits = 0;
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor known = Similarity.unit(features);
      for (int from = 0; from < right.length; from += TOGETHER) {
        int count = Math.min(TOGETHER, right.length - from);
        try (Scope inner = Scope.open()) {
          Tensor asked = Similarity.unit(test.narrow(0, from, count));
          long[] order = asked.matmul(known.t()).topK(neighbours, 1).indices().toLongs();
          for (int i = 0; i < count; i++) {
            int[] votes = new int[classes];
            int best = 0;
            for (int k = 0; k < neighbours; k++) {
              votes[labels[(int) order[i * neighbours + k]]]++;
            }
            for (int c = 1; c < classes; c++) {
              best = votes[c] > votes[best] ? c : best;
            }
            hits += best == right[from + i] ? 1 : 0;
          }
        }
      }
    }
    return (double) hits / right.length;
  }
}
