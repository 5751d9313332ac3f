package dev.jformer.decode;

import dev.jformer.data.text.ParallelTexts;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.metrics.Bleu;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.train.Classifying;
import dev.jformer.train.ForwardingTask;
import dev.jformer.train.Translation;
import java.util.function.Supplier;

/**
 * Training an encoder-decoder to translate, held to the {@link Bleu} of greedy translations of the
 * held-out texts: what is evaluated, and lower if better, is how much they lack of 100.
 */
public final class BleuValidation extends ForwardingTask implements Classifying {
  private static final int TOGETHER = 64;

  private final Translation task;
  private final EncoderDecoder model;
  private final Tokenizer tokenizer;
  private final ParallelTexts heldOut;
  private double loss = Double.NaN;

  /**
   * A task.
   *
   * @param task what is trained
   * @param heldOut the texts that {@code task} holds out
   */
  public BleuValidation(
      Translation task, EncoderDecoder model, Tokenizer tokenizer, ParallelTexts heldOut) {
    super(task);
    this.task = task;
    this.model = model;
    this.tokenizer = tokenizer;
    this.heldOut = heldOut;
  }

  @Override
  public Supplier<Prediction> passes(long index) {
    return task.passes(index);
  }

  @Override
  public double evaluate() {
    loss = task.evaluate();
    boolean learning = model.isTraining();
    model.train(false);
    try {
      Translator translator =
          new Translator(model, tokenizer, new BeamSearch.Settings(1), TOGETHER);
      return 100
          - Bleu.of(translator.translate(heldOut.source(), done -> {}), heldOut.target()).score();
    } finally {
      model.train(learning);
    }
  }

  /** Cross-entropy at the latest evaluation, in nats per token; NaN before the first. */
  public double crossEntropy() {
    return loss;
  }
}
