package dev.jformer.studies.trial;

import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.AdamW;

/**
 * Updates of a language model, untrained at first, with AdamW, always on the same random tokens.
 */
public final class LanguageUpdate implements Runnable, AutoCloseable {
  private final CausalLm model;
  private final AdamW optimizer;
  private final Tensor ids;

  /**
   * Builds a model.
   *
   * @param rows sequences in a batch, each of the model's length
   */
  public LanguageUpdate(CausalLm.Config config, int rows) {
    Random.seed(1);
    model = config.build();
    optimizer = new AdamW(model, new AdamW.Config());
    ids = Tensor.randint(0, config.vocab(), rows, config.length()).keep();
  }

  /** Runs one update. */
  @Override
  public void run() {
    model.clearGrads();
    try (Scope scope = Scope.open()) {
      model.loss(ids, ids).backward();
    }
    optimizer.clipGradients(1);
    optimizer.step(1e-3);
  }

  @Override
  public void close() {
    ids.close();
    optimizer.close();
    model.close();
  }
}
