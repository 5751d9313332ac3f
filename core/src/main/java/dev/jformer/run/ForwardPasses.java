package dev.jformer.run;

import dev.jformer.model.Model;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/** Passes through the models of a job, to calibrate them and to see how fast they are. */
public interface ForwardPasses {
  /**
   * One pass.
   *
   * @param model of the job's family
   * @param input ids [B, T], or images
   * @param paddingMask which ids are no padding; null for all
   * @return logits, or hidden states of models that have no head
   */
  Tensor forward(Model model, Tensor input, Tensor paddingMask);

  /**
   * The mean loss of a pass, a scalar that gradients flow from.
   *
   * @param target classes int64 [B], or the ids that should follow [B, T]
   */
  default Tensor loss(Model model, Tensor input, Tensor paddingMask, Tensor target) {
    Tensor logits = forward(model, input, paddingMask);
    return Functional.crossEntropy(logits.to(DType.FLOAT32), target, -1, 0);
  }

  /**
   * An input drawn at random.
   *
   * @param batch sequences or images
   */
  Tensor input(Model model, int batch);

  /** What {@link #units} counts, for example {@code tokens}. */
  String unit();

  /** Units of a sequence or image of {@link #input}. */
  long units(Model model);

  /**
   * Generates a short text, token by token, with models that do so.
   *
   * @return the number of tokens; 0 for models that generate nothing
   */
  default int decode(Model model) {
    return 0;
  }
}
