package dev.jformer.train;

import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import java.util.function.Supplier;

/**
 * Knowledge distillation of <a href="https://arxiv.org/abs/1503.02531">Distilling the Knowledge in
 * a Neural Network</a>, one of the families of <a href="https://arxiv.org/abs/2307.07982">A Survey
 * of Techniques for Optimizing Transformer Inference</a>. A student learns what a larger teacher
 * predicts, beside what is right. The loss is {@code (1 - share) loss + share T²
 * KL(teacher‖student)}, the divergence that of probabilities which a temperature T makes even, a
 * mean over what is predicted; T² keeps its gradients as large as they are at T = 1.
 */
public final class Distillation extends ForwardingTask {
  private final Classifying student;
  private final Classifying teacher;
  private final double temperature;
  private final double share;

  /**
   * A student's task with a teacher.
   *
   * @param student what is trained
   * @param teacher the same task with the same batches, for the teacher's model, which must be in
   *     inference
   * @param temperature T
   * @param share of the divergence in the loss
   */
  public Distillation(Classifying student, Classifying teacher, double temperature, double share) {
    super(student);
    if (!(temperature > 0) || Double.isInfinite(temperature)) {
      throw new IllegalArgumentException(
          "temperature is " + temperature + ": expected a number above 0");
    }
    if (!(share >= 0 && share <= 1)) {
      throw new IllegalArgumentException("share is " + share + ": expected 0 to 1");
    }
    this.student = student;
    this.teacher = teacher;
    this.temperature = temperature;
    this.share = share;
  }

  @Override
  public Tensor loss(long index) {
    Supplier<Classifying.Prediction> passes = student.passes(index);
    Tensor taught;
    try (Mode mode = Autograd.noGrad()) {
      taught = teacher.passes(index).get().logits().div(temperature).logSoftmax(1);
    }
    Classifying.Prediction prediction = passes.get();
    if (!taught.shape().equals(prediction.logits().shape())) {
      throw new IllegalArgumentException(
          "the teacher predicts "
              + taught.shape()
              + " logits, the student "
              + prediction.logits().shape()
              + ": expected both to predict the same of the same batches");
    }
    Tensor learned = prediction.logits().div(temperature).logSoftmax(1);
    Tensor divergence = taught.exp().mul(taught.sub(learned)).sum().div((double) learned.size(0));
    AuxiliaryLosses.metric("distance from the teacher", divergence::item);
    return prediction.loss().mul(1 - share).add(divergence.mul(share * temperature * temperature));
  }
}
