package dev.jformer.decode;

import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.CausalLm;
import dev.jformer.train.AnswerModelling;
import dev.jformer.train.Classifying;
import dev.jformer.train.ForwardingTask;
import dev.jformer.train.Passes;

/** A task of answers whose evaluation counts right answers too, beside the cross-entropy. */
public final class AnswerValidation extends ForwardingTask implements Classifying {
  private final AnswerModelling task;
  private final CausalLm model;

  /** Wraps a task of training a model. */
  public AnswerValidation(AnswerModelling task, CausalLm model) {
    super(task);
    this.task = task;
    this.model = model;
  }

  @Override
  public Passes<CausalLm> passes(long index) {
    return task.passes(index);
  }

  /** The task that is trained. */
  public AnswerModelling task() {
    return task;
  }

  @Override
  public Metrics evaluate() {
    Metrics loss = task.evaluate();
    boolean learning = model.isTraining();
    model.train(false);
    try {
      AnswerScores scores = AnswerScores.of(model, task.problem(), task.heldOut());
      return loss.with(Metric.higher(Metric.ACCURACY, scores.accuracy(), ""));
    } finally {
      model.train(learning);
    }
  }
}
