package dev.jformer.metrics;

import dev.jformer.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.DoubleStream;

/**
 * How well a classifier tells examples of its classes from others by its confidence, the highest
 * probability that it gives (<a href="https://arxiv.org/abs/1610.02136">A Baseline for Detecting
 * Misclassified and Out-of-Distribution Examples in Neural Networks</a>). Predictions are added
 * batch by batch.
 */
public final class NoveltyDetection {
  private final DoubleStream.Builder known = DoubleStream.builder();
  private final DoubleStream.Builder novel = DoubleStream.builder();

  /**
   * Adds predictions for examples of the classes.
   *
   * @param logits [N, labels]
   */
  public void addKnown(Tensor logits) {
    confidences(logits).forEach(known);
  }

  /**
   * Adds predictions for examples of none of the classes.
   *
   * @param logits [N, labels]
   */
  public void addNovel(Tensor logits) {
    confidences(logits).forEach(novel);
  }

  private static DoubleStream confidences(Tensor logits) {
    return Arrays.stream(logits.softmax(1).max(1, false).toDoubles());
  }

  /**
   * Returns the share of pairs of a known and a novel example in which the classifier is more
   * confident of the known one (AUROC). No predictions can be added after it.
   *
   * @return from 0 to 1; NaN if there are no examples of one kind
   */
  public double auroc() {
    return RankCorrelation.auroc(known.build().toArray(), novel.build().toArray());
  }
}
