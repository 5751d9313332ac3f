package dev.jformer.studies.trial;

import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.data.text.SequenceSampler;
import dev.jformer.data.text.TokenFile;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.List;
import java.util.function.Function;

/**
 * A trained model to compress, with data for calibration, evaluation and timing. All methods accept
 * the model itself or a compressed version of it.
 */
public interface Subject extends CalibrationData {
  /** Returns the trained model, in inference mode. */
  Model model();

  /** Evaluates a model on held-out data. */
  Metrics evaluate(Model model);

  /** Returns the outputs of a model for a few examples outside the calibration data. */
  Tensor outputs(Model model);

  /** Returns random inputs of the usual length. */
  Tensor inputs(int count);

  /** Runs a model on {@link #inputs}. */
  Tensor forward(Model model, Tensor inputs);

  /** Returns the primary metric of a model. */
  default double quality(Model model) {
    return evaluate(model).primary().value();
  }

  /** Compresses the model and examines the result, which is closed afterwards. */
  default <R> R compressed(Compression method, Function<Model, R> examination) {
    return compressed(List.of(method), examination);
  }

  /** As above, with several methods in sequence; without methods the model itself is examined. */
  default <R> R compressed(List<Compression> methods, Function<Model, R> examination) {
    return compressed(model(), methods, examination);
  }

  /** As above, of a model to which the data of this one fit. */
  default <R> R compressed(
      Model current, List<Compression> methods, Function<Model, R> examination) {
    if (methods.isEmpty()) {
      return examination.apply(current);
    }
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad();
        Model made = methods.get(0).apply(current, this)) {
      return compressed(made, methods.subList(1, methods.size()), examination);
    }
  }

  /**
   * Measures the time of another model divided by that of this one, in turns.
   *
   * @param inputs for {@link #forward}
   * @param rounds at least 1
   */
  default double timesAsLong(Model made, Tensor inputs, int rounds) {
    return InterleavedTimer.ratio(
        () -> forward(made, inputs), () -> forward(model(), inputs), rounds);
  }

  /**
   * Returns the relative loss of quality by a compression, for example 0.01 for a loss that is 1 %
   * higher or an accuracy that is 1 % lower; negative if the compressed model is better.
   *
   * @param whole quality of the model itself
   */
  default double relativeLoss(Compression method, double whole) {
    return compressed(method, made -> relativeLoss(made, whole));
  }

  /** As above, of a model that was compressed. */
  default double relativeLoss(Model made, double whole) {
    Metric found = evaluate(made).primary();
    double change = found.value() / whole - 1;
    return found.higherIsBetter() ? -change : change;
  }

  /**
   * Returns a language model with its text. The metric is the held-out loss in nats.
   *
   * @param batch sequences of a calibration batch
   * @param batches number of calibration batches, from training text that the model is unlikely to
   *     have seen
   * @param evaluated sequences of an evaluation batch
   * @param limit maximum number of evaluation batches
   */
  static Subject language(
      CausalLm model, TokenFile text, int batch, int batches, int evaluated, long limit) {
    SequenceSampler sampler = new SequenceSampler(text, batch, model.config().length(), 1_000_003);
    return new LanguageSubject(model, text, sampler, batches, evaluated, limit);
  }

  /**
   * Returns an image classifier. The metrics on held-out images are {@code loss} and {@code right},
   * the accuracy in percent.
   *
   * @param calibration sampler of calibration batches
   * @param first number of the first calibration batch
   * @param batches number of calibration batches
   */
  static Subject images(
      ImageModel model, ImageSampler calibration, long first, int batches, ImageSampler heldOut) {
    return new ImageSubject(model, calibration, first, batches, heldOut);
  }

  /**
   * Returns the sentence encoder of scored pairs. The metric is {@code STS}, Spearman's correlation
   * times 100.
   *
   * @param texts number of calibration texts
   */
  static Subject sentences(TextPairs pairs, int texts) {
    return new SentenceSubject(pairs, texts);
  }
}
