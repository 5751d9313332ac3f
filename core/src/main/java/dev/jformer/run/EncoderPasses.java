package dev.jformer.run;

import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
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
