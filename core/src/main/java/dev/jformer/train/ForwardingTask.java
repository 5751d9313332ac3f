package dev.jformer.train;

/** A task that is another one in most respects: what is not said otherwise is the other's. */
public abstract class ForwardingTask implements Task {
  private final Task task;

  /** As {@code task}. */
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
  public double evaluate() {
    return task.evaluate();
  }
}
