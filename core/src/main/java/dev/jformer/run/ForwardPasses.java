package dev.jformer.run;

import dev.jformer.model.Model;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.Optional;

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

  /**
   * Decoding of one sequence, a token at a time.
   *
   * @return empty for models that do not write
   * @throws UnsupportedOperationException if the model is of a kind that writes, but cannot decode
   *     step by step
   */
  default Optional<Decoding> decoding(Model model) {
    return Optional.empty();
  }

  /** A sequence that is being decoded. */
  interface Decoding extends AutoCloseable {
    /** The most tokens that it can have. */
    int capacity();

    /** Reads tokens, int64 [1, T], and computes the scores of what follows. */
    void next(Tensor ids);

    /** Bytes of memory that the decoding keeps of the tokens so far. */
    long bytes();

    @Override
    void close();
  }

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
