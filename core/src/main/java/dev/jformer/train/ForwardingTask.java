package dev.jformer.train;

import dev.jformer.metrics.Metrics;
import dev.jformer.tensor.Tensor;

/** A task that forwards to another one; subclasses override what differs. */
public abstract class ForwardingTask implements Task {
  private final Task task;

  /** Creates a task that forwards to {@code task}. */
  protected ForwardingTask(Task task) {
    this.task = task;
  }

  @Override
  public long unitsPerBatch() {
    return task.unitsPerBatch();
  }

  @Override
  public String unit() {
    return task.unit();
  }

  @Override
  public Tensor counted(long index) {
    return task.counted(index);
  }

  @Override
  public Metrics evaluate() {
    return task.evaluate();
  }
}
