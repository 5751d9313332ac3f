package dev.jformer.decode;

import dev.jformer.data.text.ParallelTexts;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.metrics.Bleu;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.model.Model;
import dev.jformer.train.Classifying;
import dev.jformer.train.ForwardingTask;
import dev.jformer.train.Passes;
import dev.jformer.train.Task;
import dev.jformer.train.Translation;

/**
 * A translation task whose primary metric is the {@link Bleu} of greedy translations of the
 * held-out texts; the cross-entropy is measured too.
 */
public final class BleuValidation extends ForwardingTask implements Classifying {
  static final int TOGETHER = 64;

  private final Translation task;
  private final EncoderDecoder model;
  private final Tokenizer tokenizer;
  private final ParallelTexts heldOut;

  /**
   * Wraps a task.
   *
   * @param task the task that is trained
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
  public Passes<EncoderDecoder> passes(long index) {
    return task.passes(index);
  }

  @Override
  public Metrics evaluate() {
    BeamSearch.Settings greedy = new BeamSearch.Settings(1);
    TextTranslator translator = new BeamTranslator(model, tokenizer, greedy, TOGETHER);
    return measure(task, model, translator, heldOut);
  }

  /** Measures a task, and above all the BLEU of a model's translations. */
  static Metrics measure(Task task, Model model, TextTranslator translator, ParallelTexts heldOut) {
    Metrics losses = task.evaluate();
    boolean learning = model.isTraining();
    model.train(false);
    try {
      Bleu bleu = Bleu.of(translator.translate(heldOut.source(), done -> {}), heldOut.target());
      return losses.under(bleu.metric());
    } finally {
      model.train(learning);
    }
  }
}
