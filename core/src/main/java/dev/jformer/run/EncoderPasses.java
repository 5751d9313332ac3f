package dev.jformer.run;

import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * Forward passes of encoders of texts: to the logits of classes or masked tokens, or to the hidden
 * states.
 */
final class EncoderPasses implements ForwardPasses {
  static final int LONGEST = 128;

  @Override
  public Tensor forward(Model model, Tensor input, Tensor paddingMask) {
    Encoder encoder = (Encoder) model;
    if (encoder.config().labels() > 0) {
      return encoder.logits(input, paddingMask);
    }
    return encoder.config().head().mlmHead()
        ? encoder.mlmLogits(input, paddingMask)
        : encoder.hidden(input, paddingMask);
  }

  @Override
  public Tensor loss(
      Model model, Tensor input, Tensor paddingMask, Tensor target, double temperature) {
    Tensor logits = forward(model, input, paddingMask).to(DType.FLOAT32).div(temperature);
    boolean tokens = logits.rank() == 3;
    return Functional.crossEntropy(
        tokens ? logits.flatten(0, 1) : logits, tokens ? target.flatten(0, 1) : target, -1, 0);
  }

  @Override
  public Tensor loss(Model model, Tensor input, Tensor paddingMask, Tensor target) {
    return loss(model, input, paddingMask, target, 1);
  }

  @Override
  public Tensor input(Model model, int batch) {
    return Tensor.randint(0, ((Encoder) model).config().tokens(), batch, units(model));
  }

  @Override
  public String unit() {
    return "tokens";
  }

  @Override
  public long units(Model model) {
    return Math.min(LONGEST, ((Encoder) model).config().length());
  }
}
