package dev.jformer.train;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.data.text.TextBatch;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Encoder;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * Denoising of a task's own texts, without their labels: an encoder predicts masked tokens, or the
 * next token of each. It is how <a href="https://arxiv.org/abs/2310.02980">Never Train from
 * Scratch: Fair Comparison of Long-Sequence Models Requires Data-Driven Priors</a> pretrains on the
 * data of a task before it learns the task ({@code pretraining} of a recipe). Evaluations measure
 * the same loss on held-out texts, always with the same tokens masked.
 *
 * <p>Masked tokens are drawn anew in each batch, each by itself; all are replaced by the mask. The
 * paper masks pixels as numbers and predicts these; here a pixel is a token of its grey level, and
 * is predicted as one.
 *
 * @param kind which tokens are predicted
 * @param share of the tokens that are masked; of no effect for the next tokens
 */
@AutoService(Objective.class)
@RecordBuilder
public record Denoising(Kind kind, double share) implements Objective, DenoisingBuilder.With {
  private static final long EVALUATION_SEED = 7;

  /** Which tokens are predicted. */
  public enum Kind {
    /** Masked tokens, from all others. */
    MASKED,
    /** The next token, from those before it: for causal encoders. */
    CAUSAL
  }

  /** Defaults: half of the tokens are masked. */
  public Denoising() {
    this(Kind.MASKED, 0.5);
  }

  /** Checks the values. */
  public Denoising {
    Checks.notNull("kind", kind);
    Checks.check(share > 0 && share < 1, "share", share, "a share between 0 and 1");
  }

  @Override
  public String type() {
    return "denoising";
  }

  /**
   * {@inheritDoc}
   *
   * @throws IllegalArgumentException if no encoder reads texts in the task, if the encoder has no
   *     head that predicts tokens, or if the next token is to be predicted by one that sees it
   */
  @Override
  public Task of(Task task) {
    if (!(task instanceof TextReading reading)) {
      throw new IllegalArgumentException(
          "the objective 'denoising' hides tokens of an encoder's texts, but this task, a "
              + task.getClass().getSimpleName()
              + ", has none: expected a classification of texts, sequences or pixels");
    }
    Encoder.Config config = reading.model().config();
    if (!config.head().mlmHead()) {
      throw new IllegalArgumentException(
          "head.mlmHead is false: the objective 'denoising' needs the head that predicts tokens");
    }
    if (kind == Kind.CAUSAL && !config.causal()) {
      throw new IllegalArgumentException(
          "model.causal is false: to predict the next token expected a causal encoder, because"
              + " others see it; set model.causal to true, or kind to masked");
    }
    return new Restoring(reading);
  }

  /** The passes over texts, with the tokens to predict; masks are drawn if they are. */
  Passes<Encoder> passes(Encoder model, TextBatch texts) {
    return kind == Kind.MASKED ? masked(model, texts) : next(model, texts);
  }

  private Passes<Encoder> masked(Encoder model, TextBatch texts) {
    Tensor flat = texts.ids().flatten(0, 1);
    Tensor drawn = Tensor.rand(flat.elements()).lt(share);
    if (texts.paddingMask() != null) {
      drawn = drawn.and(texts.paddingMask().flatten(0, 1));
    }
    Tensor found = drawn.nonzero().flatten(0, 1);
    Tensor places = found.elements() == 0 ? Tensor.arange(0, 1) : found;
    Tensor targets = flat.indexSelect(0, places);
    Tensor hidden = Tensor.full((double) model.mask(), DType.INT64, places.elements());
    Tensor shown = flat.copy().indexCopy_(0, places, hidden).view(texts.ids().shape().toArray());
    return passes(model, new TextBatch(shown, texts.paddingMask()), places, targets);
  }

  private static Passes<Encoder> next(Encoder model, TextBatch texts) {
    Tensor ids = texts.ids();
    long length = ids.size(1);
    Tensor follows =
        texts.paddingMask() == null
            ? ids.narrow(1, 1, length - 1).ge(0)
            : texts.paddingMask().narrow(1, 1, length - 1);
    Tensor pairs = follows.to(DType.INT64);
    Tensor none = Tensor.zeros(DType.INT64, ids.size(0), 1);
    Tensor places = Tensor.cat(1, pairs, none).flatten(0, 1).nonzero().flatten(0, 1);
    if (places.elements() == 0) {
      throw new IllegalArgumentException(
          "all texts of a batch have one token: expected longer ones, to predict their next"
              + " tokens");
    }
    Tensor targets = ids.flatten(0, 1).indexSelect(0, places.add(1));
    return passes(model, texts, places, targets);
  }

  private static Passes<Encoder> passes(
      Encoder model, TextBatch texts, Tensor places, Tensor targets) {
    return new Passes<>(
        Encoder.class,
        model,
        encoder -> encoder.mlmLogitsAt(texts.ids(), texts.paddingMask(), places),
        logits -> Functional.crossEntropy(logits, targets, -1, 0));
  }

  private final class Restoring extends ForwardingTask {
    private final TextReading reading;

    Restoring(TextReading reading) {
      super(reading);
      this.reading = reading;
    }

    @Override
    public Tensor loss(long index) {
      return passes(reading.model(), reading.texts(index)).get().loss();
    }

    @Override
    public Metrics evaluate() {
      Tensor random = Random.state();
      Random.seed(EVALUATION_SEED);
      double[] sum = new double[2];
      reading.heldOutTexts(
          texts -> {
            try (Scope scope = Scope.open()) {
              Classifying.Prediction prediction = passes(reading.model(), texts).get();
              long count = prediction.logits().size(0);
              sum[0] += prediction.loss().item() * count;
              sum[1] += count;
            }
          });
      Random.restore(random);
      return Metrics.ofLoss(sum[0] / sum[1], "nats per token");
    }
  }
}
