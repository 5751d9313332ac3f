package dev.jformer.train;

import dev.jformer.ffn.Granularities;
import dev.jformer.nn.Module;
import dev.jformer.tensor.Tensor;

/**
 * Trains all granularities of a model of <a href="https://arxiv.org/abs/2310.07707">MatFormer:
 * Nested Transformer for Elastic Inference</a> together: the loss of a batch is the mean of the
 * losses of all granularities.
 */
final class EveryGranularity extends ForwardingTask {
  private final Task task;
  private final Granularities granularities;

  private EveryGranularity(Task task, Granularities granularities) {
    super(task);
    this.task = task;
    this.granularities = granularities;
  }

  /** Wraps a task if the model is configured to be trained at every granularity. */
  static Task where(Module model, Task task) {
    Granularities granularities = Granularities.of(model);
    return granularities.trainsAll() ? new EveryGranularity(task, granularities) : task;
  }

  @Override
  public Tensor loss(long index) {
    int count = granularities.count();
    Tensor sum = null;
    for (int i = 0; i < count; i++) {
      granularities.useInTraining(i);
      Tensor loss = task.loss(index).div(count);
      sum = sum == null ? loss : sum.add(loss);
    }
    return sum;
  }
}
