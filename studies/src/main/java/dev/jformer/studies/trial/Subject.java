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
 * A trained model that compressions are tried on, with data that suits it: for calibration, for
 * evaluation, and to measure time with. All methods take the model itself or one made of it.
 */
public interface Subject extends CalibrationData {
  /** The model as it was trained, in inference. */
  Model model();

  /** How good a model is; the primary metric is the one to judge by. */
  Metrics evaluate(Model model);

  /** What a model gives for a few examples that are not among the calibration data. */
  Tensor outputs(Model model);

  /** Random inputs of the usual length. */
  Tensor inputs(int count);

  /** Runs a model on {@link #inputs}. */
  Tensor forward(Model model, Tensor inputs);

  /** The primary metric of a model. */
  default double quality(Model model) {
    return evaluate(model).primary().value();
  }

  /** Compresses the model and looks at the result, which is closed afterwards. */
  default <R> R compressed(Compression method, Function<Model, R> examination) {
    return compressed(List.of(method), examination);
  }

  /** As above, with methods one after the other; without any the model itself is looked at. */
  default <R> R compressed(List<Compression> methods, Function<Model, R> examination) {
    return compressed(model(), methods, examination);
  }

  private <R> R compressed(
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
   * How many times as long as the model itself another takes, measured in turns.
   *
   * @param inputs for {@link #forward}
   * @param rounds at least 1
   */
  default double timesAsLong(Model made, Tensor inputs, int rounds) {
    return InterleavedTimer.ratio(
        () -> forward(made, inputs), () -> forward(model(), inputs), rounds);
  }

  /**
   * By which share of {@code whole} a compressed model is worse, for example 0.01 for a loss that
   * is 1 % higher or an accuracy that is 1 % lower; negative if it is better.
   *
   * @param whole quality of the model itself
   */
  default double relativeLoss(Compression method, double whole) {
    Metric found = compressed(method, made -> evaluate(made).primary());
    double change = found.value() / whole - 1;
    return found.higherIsBetter() ? -change : change;
  }

  /**
   * A language model and its text. The metric is the held-out loss in nats.
   *
   * @param batch sequences of a batch, for calibration
   * @param batches of text to learn from for calibration, as far from those trained on as can be
   * @param evaluated sequences of a batch in evaluations
   * @param limit the most batches of an evaluation
   */
  static Subject language(
      CausalLm model, TokenFile text, int batch, int batches, int evaluated, long limit) {
    SequenceSampler sampler = new SequenceSampler(text, batch, model.config().length(), 1_000_003);
    return new LanguageSubject(model, text, sampler, batches, evaluated, limit);
  }

  /**
   * An image classifier. The metrics are {@code loss} and {@code right}, the percentage of images
   * that are right, on those that a sampler holds out.
   *
   * @param calibration gives the batches for calibration
   * @param first number of the first of them
   * @param batches how many
   */
  static Subject images(
      ImageModel model, ImageSampler calibration, long first, int batches, ImageSampler heldOut) {
    return new ImageSubject(model, calibration, first, batches, heldOut);
  }

  /**
   * The sentence encoder of scored pairs. The metric is {@code STS}, Spearman's correlation x 100.
   *
   * @param texts how many are read for calibration
   */
  static Subject sentences(TextPairs pairs, int texts) {
    return new SentenceSubject(pairs, texts);
  }
}
