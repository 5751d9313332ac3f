package dev.jformer.train;

import dev.jformer.data.DataException;
import dev.jformer.data.text.Batch;
import dev.jformer.data.text.HeldOut;
import dev.jformer.data.text.SequenceSampler;
import dev.jformer.data.text.TokenFile;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.RecurrentLm;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.function.UnaryOperator;

/**
 * The task of training a language model that carries a state from window to window: predict each
 * token of a sequence of several windows from the tokens and the state before it.
 */
public final class RecurrentModelling implements Classifying {
  private final RecurrentLm model;
  private final TokenFile tokens;
  private final int batch;
  private final SequenceSampler sampler;
  private final long evaluationBatches;

  /**
   * Creates a task.
   *
   * @param batch sequences in a batch
   * @param evaluationBatches the most batches of held-out text in an evaluation, of one window each
   * @throws DataException if tokens and model do not fit together
   */
  public RecurrentModelling(
      RecurrentLm model, TokenFile tokens, int batch, long seed, long evaluationBatches) {
    LanguageModelling.checkVocabulary(tokens, model.config().lm().vocab());
    this.model = model;
    this.tokens = tokens;
    this.batch = batch;
    this.sampler = new SequenceSampler(tokens, batch, model.config().sequence(), seed);
    this.evaluationBatches = evaluationBatches;
  }

  @Override
  public Passes<RecurrentLm> passes(long index) {
    Batch sequences = sampler.batch(index);
    Tensor targets = sequences.targets().flatten(0, 1);
    return new Passes<>(
        RecurrentLm.class,
        model,
        lm -> lm.logits(sequences.inputs()).flatten(0, 1).to(DType.FLOAT32),
        logits -> Functional.crossEntropy(logits, targets, -1, 0));
  }

  @Override
  public long unitsPerBatch() {
    return (long) batch * model.config().sequence();
  }

  @Override
  public String unit() {
    return "tokens";
  }

  /**
   * Measures mean cross-entropy on held-out text, with the state carried: {@code loss} in nats per
   * token, and {@code lossPerByte}.
   */
  @Override
  public Metrics evaluate() {
    int window = model.config().window();
    double loss = evaluate(model, tokens, batch, window, evaluationBatches, state -> state);
    return LanguageModelling.metrics(loss, tokens);
  }

  /**
   * Mean cross-entropy on the held-out part of a token file, in nats per token. The text is read as
   * {@linkplain HeldOut#streams streams}, from its beginning to its end.
   *
   * @param streams the number of streams, which are read side by side
   * @param window tokens of a window
   * @param limit the most batches to evaluate, of one window of each stream
   * @param carried makes of the state [B, R] after each window the one before the next, which is
   *     null where the next is to be read alone; the identity to carry it
   */
  public static double evaluate(
      RecurrentLm model,
      TokenFile tokens,
      int streams,
      int window,
      long limit,
      UnaryOperator<Tensor> carried) {
    double[] sum = new double[2];
    Tensor[] state = new Tensor[1];
    HeldOut.streams(
        tokens,
        streams,
        window,
        limit,
        part -> {
          RecurrentLm.Reading reading = model.read(part.inputs(), state[0]);
          double targets = part.targets().elements();
          sum[0] += model.loss(reading, part.targets()).item() * targets;
          sum[1] += targets;
          Tensor before = state[0];
          Tensor next = carried.apply(reading.state());
          state[0] = next == null ? null : next.copy().keep();
          close(before);
        });
    close(state[0]);
    return sum[0] / sum[1];
  }

  private static void close(Tensor state) {
    if (state != null) {
      state.close();
    }
  }
}
