package dev.jformer.run;

import dev.jformer.model.Model;
import dev.jformer.model.sequence.SequenceModel;
import dev.jformer.tensor.Tensor;

/** Forward passes of classifiers of sequences of vectors, to the logits of classes. */
final class SequencePasses implements ForwardPasses {
  @Override
  public Tensor forward(Model model, Tensor input, Tensor paddingMask) {
    return ((SequenceModel) model).logits(input);
  }

  @Override
  public Tensor input(Model model, int batch) {
    SequenceModel.Config config = ((SequenceModel) model).config();
    return Tensor.randn(batch, config.length(), config.features());
  }

  @Override
  public String unit() {
    return "frames";
  }

  @Override
  public long units(Model model) {
    return ((SequenceModel) model).config().length();
  }
}
