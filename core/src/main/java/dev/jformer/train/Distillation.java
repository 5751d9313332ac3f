package dev.jformer.train;

import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import java.util.function.Supplier;

/**
 * Knowledge distillation of <a href="https://arxiv.org/abs/1503.02531">Distilling the Knowledge in
 * a Neural Network</a>, one of the families of <a href="https://arxiv.org/abs/2307.07982">A Survey
 * of Techniques for Optimizing Transformer Inference</a>. A student learns the predictions of a
 * larger teacher beside the targets. The loss is {@code (1 - share) loss + share T²
 * KL(teacher‖student)}. The divergence is averaged over the predictions and is that of
 * probabilities smoothed by a temperature T; T² keeps its gradients as large as at T = 1.
 */
public final class Distillation extends ForwardingTask {
  private final Classifying student;
  private final Classifying teacher;
  private final double temperature;
  private final double share;

  /**
   * Creates the task of a student with a teacher.
   *
   * @param student the task that is trained
   * @param teacher the same task with the same batches for the teacher's model, which must be in
   *     inference mode
   * @param temperature T
   * @param share weight of the divergence in the loss, from 0 to 1
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
              + ": give both the same batches and vocabulary");
    }
    Tensor learned = prediction.logits().div(temperature).logSoftmax(1);
    Tensor divergence = taught.exp().mul(taught.sub(learned)).sum().div((double) learned.size(0));
    AuxiliaryLosses.metric("distance from the teacher", divergence::item);
    return prediction.loss().mul(1 - share).add(divergence.mul(share * temperature * temperature));
  }
}
