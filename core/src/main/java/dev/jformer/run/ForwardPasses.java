package dev.jformer.run;

import dev.jformer.model.Model;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.Optional;

/** Forward passes of a job's models, to calibrate them and to measure their speed. */
public interface ForwardPasses {
  /**
   * Runs one pass.
   *
   * @param model a model of the job's family
   * @param input ids [B, T], or images
   * @param paddingMask bool [B, T], false where an id is padding; null if there is none
   * @return logits, or hidden states of models without a head
   */
  Tensor forward(Model model, Tensor input, Tensor paddingMask);

  /**
   * Computes the mean loss of a pass, a scalar with a gradient.
   *
   * @param target classes int64 [B], or the ids that should follow [B, T]
   */
  default Tensor loss(Model model, Tensor input, Tensor paddingMask, Tensor target) {
    Tensor logits = forward(model, input, paddingMask);
    return Functional.crossEntropy(logits.to(DType.FLOAT32), target, -1, 0);
  }

  /** As {@link #loss(Model, Tensor, Tensor, Tensor)}, with logits divided by a temperature. */
  default Tensor loss(
      Model model, Tensor input, Tensor paddingMask, Tensor target, double temperature) {
    Tensor logits = forward(model, input, paddingMask).to(DType.FLOAT32).div(temperature);
    return Functional.crossEntropy(logits, target, -1, 0);
  }

  /**
   * Creates a random input.
   *
   * @param batch number of sequences or images
   */
  Tensor input(Model model, int batch);

  /**
   * Starts decoding one sequence, a token at a time.
   *
   * @return empty for models that do not generate
   * @throws UnsupportedOperationException if the model generates, but cannot decode step by step
   */
  default Optional<Decoding> decoding(Model model) {
    return Optional.empty();
  }

  /** A sequence that is being decoded. */
  interface Decoding extends AutoCloseable {
    /** The most tokens that the sequence can have. */
    int capacity();

    /** Reads tokens, int64 [1, T], and computes the logits of the next one. */
    void next(Tensor ids);

    /** The bytes of memory that the states of the tokens so far take. */
    long bytes();

    @Override
    void close();
  }

  /** The unit that {@link #units} counts, for example {@code tokens}. */
  String unit();

  /** The number of units in a sequence or image of {@link #input}. */
  long units(Model model);

  /**
   * Generates a short text, token by token, if the model can.
   *
   * @return the number of tokens; 0 for models that do not generate
   */
  default int decode(Model model) {
    return 0;
  }
}
