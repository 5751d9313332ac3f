package dev.jformer.train;

import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The mean of the losses, metrics and gradients of the batches of one update, each counting by its
 * number of predictions. The gradients are so those of one batch that holds all of them.
 *
 * <p>How many predictions the later batches have is not known while the first one runs. So batches
 * count relative to the first one, and what is missing is multiplied in at the end; it is exactly 1
 * where all batches have the same number.
 */
final class Accumulation {
  private final int batches;
  private final Map<String, Double> metrics = new LinkedHashMap<>();
  private double first;
  private double sizes;
  private double loss;

  /** Creates the sums of an update of so many batches. */
  Accumulation(int batches) {
    this.batches = batches;
  }

  /** Adds a batch: the gradients of its loss and of what modules added to it, and its metrics. */
  void backward(Tensor taskLoss, AuxiliaryLosses auxiliary) {
    if (first == 0) {
      first = auxiliary.predictions();
    }
    double size = auxiliary.predictions() / first;
    sizes += size;
    Tensor sum = auxiliary.addTo(taskLoss);
    Tensor share = batches == 1 ? sum : sum.div(batches);
    (size == 1 ? share : share.mul(size)).backward();
    auxiliary
        .metrics()
        .forEach((name, value) -> metrics.merge(name, value / batches * size, Double::sum));
    loss += taskLoss.item() / batches * size;
  }

  /** Completes the mean, after the last batch. */
  void correct(Optimizer optimizer) {
    double factor = batches / sizes;
    if (factor != 1) {
      optimizer.scaleGradients(factor);
      loss *= factor;
      metrics.replaceAll((name, value) -> value * factor);
    }
  }

  /** The mean of the tasks' losses. */
  double loss() {
    return loss;
  }

  /** The means of the metrics by name. */
  Map<String, Double> metrics() {
    return metrics;
  }
}
