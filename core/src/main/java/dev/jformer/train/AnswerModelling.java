package dev.jformer.train;

import dev.jformer.data.DataException;
import dev.jformer.data.algorithm.Alphabet;
import dev.jformer.data.algorithm.Example;
import dev.jformer.data.algorithm.ExampleRows;
import dev.jformer.data.algorithm.Examples;
import dev.jformer.data.algorithm.Problem;
import dev.jformer.data.text.SampleRows;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.CausalLm;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Scope;
import java.util.List;

/**
 * The task of training a causal language model to answer the prompts of a problem. The loss is the
 * mean over the answers' symbols, and the prompts' if they are to be learned too.
 */
public final class AnswerModelling implements Classifying {
  private static final int ROWS = 64;

  private final CausalLm model;
  private final Problem problem;
  private final Alphabet alphabet;
  private final Examples examples;
  private final List<Example> heldOut;
  private final ExampleRows rows;

  /**
   * Creates a task.
   *
   * @param heldOut number of examples to evaluate on
   * @param rows how examples are learned
   * @throws DataException if the model is too short for the problem, or has fewer symbols
   */
  public AnswerModelling(
      CausalLm model, Problem problem, Examples examples, int heldOut, ExampleRows rows) {
    this.model = model;
    this.problem = problem;
    this.alphabet = new Alphabet(problem);
    this.examples = examples;
    this.heldOut = examples.heldOut(heldOut);
    this.rows = rows;
    if (problem.mostSymbols() > model.longest() + 1) {
      throw new DataException(
          "an example has up to "
              + problem.mostSymbols()
              + " symbols, but the model takes "
              + model.longest()
              + ": raise model.length, or make the problem smaller");
    }
    if (alphabet.size() > model.config().vocab()) {
      throw new DataException(
          "the problem has "
              + alphabet.size()
              + " symbols, but the model's vocabulary has "
              + model.config().vocab());
    }
  }

  @Override
  public Passes<CausalLm> passes(long index) {
    return passes(rows.of(alphabet, examples.training(index), index, model.config().length()));
  }

  private Passes<CausalLm> passes(SampleRows batch) {
    return new Passes<>(
        CausalLm.class,
        model,
        lm -> lm.logitsAt(batch.ids(), batch.positions()).to(DType.FLOAT32),
        logits -> Functional.crossEntropy(logits, batch.targets(), -1, 0));
  }

  @Override
  public long unitsPerBatch() {
    return examples.batch();
  }

  @Override
  public String unit() {
    return "examples";
  }

  /** The problem. */
  public Problem problem() {
    return problem;
  }

  /** The examples that are evaluated on. */
  public List<Example> heldOut() {
    return heldOut;
  }

  /** The number of different examples to train on; 0 if there is no end of them. */
  public int samples() {
    return examples.samples();
  }

  /** Measures the mean cross-entropy of the answers' symbols in nats. */
  @Override
  public Metrics evaluate() {
    double loss = 0;
    long count = 0;
    for (int from = 0; from < heldOut.size(); from += ROWS) {
      List<Example> some = heldOut.subList(from, Math.min(heldOut.size(), from + ROWS));
      try (Scope scope = Scope.open()) {
        Prediction prediction =
            passes(ExampleRows.ANSWERS.of(alphabet, some, 0, model.config().length())).get();
        long asked = prediction.logits().size(0);
        loss += prediction.loss().item() * asked;
        count += asked;
      }
    }
    return Metrics.ofLoss(loss / count, "nats per symbol");
  }
}
