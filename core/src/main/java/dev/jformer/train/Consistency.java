package dev.jformer.train;

import com.google.auto.service.AutoService;
import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.tensor.Tensor;

/**
 * Consistency training with two passes over each batch, the objective of THOR, <a
 * href="https://arxiv.org/abs/2110.04260">Taming Sparsely Activated Transformer with Stochastic
 * Experts</a>. The passes differ in the random draws of the model, such as experts, and a part of
 * the loss makes their predictions agree. The loss is the sum of both passes' losses plus α times
 * half the sum of the divergences KL(p‖q) and KL(q‖p) of their predictions, averaged over the
 * predictions. As a formula: {@code L(p) + L(q) + α/2 (KL(p‖q) + KL(q‖p))}.
 *
 * @param alpha α
 */
@AutoService(Objective.class)
public record Consistency(double alpha) implements Objective {
  /** Defaults, those of the paper for small translation data sets. */
  public Consistency() {
    this(5);
  }

  /** Checks the value. */
  public Consistency {
    if (!(alpha >= 0) || Double.isInfinite(alpha)) {
      throw new IllegalArgumentException("alpha is " + alpha + ": expected at least 0");
    }
  }

  @Override
  public String type() {
    return "consistency";
  }

  @Override
  public Task of(Task task) {
    if (!(task instanceof Classifying classifying)) {
      throw new IllegalArgumentException(
          "the objective 'consistency' compares probabilities, but this task, a "
              + task.getClass().getSimpleName()
              + ", predicts none: use 'plain'");
    }
    return new Twice(classifying, alpha);
  }

  /**
   * Half the sum of KL(p‖q) and KL(q‖p), averaged over the rows, in nats.
   *
   * @param p logits [M, K]
   * @param q logits [M, K]
   */
  static Tensor divergence(Tensor p, Tensor q) {
    Tensor logP = p.logSoftmax(1);
    Tensor logQ = q.logSoftmax(1);
    Tensor each = logP.exp().sub(logQ.exp()).mul(logP.sub(logQ));
    return each.sum().mul(0.5 / p.size(0));
  }

  private static final class Twice extends ForwardingTask {
    private final Classifying task;
    private final double alpha;

    Twice(Classifying task, double alpha) {
      super(task);
      this.task = task;
      this.alpha = alpha;
    }

    @Override
    public Tensor loss(long index) {
      Passes<?> passes = task.passes(index);
      Classifying.Prediction first = passes.get();
      Classifying.Prediction second = passes.get();
      Tensor divergence = divergence(first.logits(), second.logits());
      AuxiliaryLosses.metric("inconsistency", divergence::item);
      return first.loss().add(second.loss()).add(divergence.mul(alpha));
    }
  }
}
