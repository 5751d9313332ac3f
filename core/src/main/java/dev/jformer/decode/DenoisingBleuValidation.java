package dev.jformer.decode;

import dev.jformer.data.text.ParallelTexts;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.DenoisingTranslator;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.DenoisingTranslation;
import dev.jformer.train.ForwardingTask;

/**
 * A task of a {@link DenoisingTranslator} whose primary metric is the {@link
 * dev.jformer.metrics.Bleu} of its translations of the held-out texts, as {@link BleuValidation}
 * does for others.
 */
public final class DenoisingBleuValidation extends ForwardingTask {
  private final DenoisingTranslation task;
  private final DenoisingTranslator model;
  private final Tokenizer tokenizer;
  private final ParallelTexts heldOut;

  /**
   * Wraps a task.
   *
   * @param task the task that is trained
   * @param heldOut the texts that {@code task} holds out
   */
  public DenoisingBleuValidation(
      DenoisingTranslation task,
      DenoisingTranslator model,
      Tokenizer tokenizer,
      ParallelTexts heldOut) {
    super(task);
    this.task = task;
    this.model = model;
    this.tokenizer = tokenizer;
    this.heldOut = heldOut;
  }

  @Override
  public Tensor loss(long index) {
    return task.loss(index);
  }

  @Override
  public Metrics evaluate() {
    DenoisingSearch.Settings settings = new DenoisingSearch.Settings();
    TextTranslator translator =
        new DenoisingTextTranslator(model, tokenizer, settings, BleuValidation.TOGETHER);
    return BleuValidation.measure(task, model, translator, heldOut);
  }
}
