package dev.jformer.compress.quantize;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.config.Checks;
import dev.jformer.model.Model;
import dev.jformer.nn.Linear;
import dev.jformer.nn.quantized.MiniFloat;
import dev.jformer.nn.quantized.MiniFloatLinear;
import dev.jformer.nn.quantized.MiniFloatLinear.Kind;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.List;
import java.util.function.DoubleConsumer;

/**
 * Quantizes weights and activations to floating-point numbers of 4 or 8 bits, as in <a
 * href="https://arxiv.org/abs/2310.16836">LLM-FP4: 4-Bit Floating-Point Quantized Transformers</a>.
 * The linear layers of a model's blocks compute with them, and their weights are stored so; see
 * {@link MiniFloatLinear}. Formats and ranges minimise the error of each layer's own output on the
 * calibration data, one layer at a time, with its inputs in the original model. Embeddings, norms,
 * the output layer, and products of activations inside of attention stay floats. In the paper the
 * output layer and norms stay floats too, but embeddings are rounded, and so are the products in
 * models that are not language models.
 *
 * @param weightBits 4 or 8
 * @param activationBits 3 to 8
 * @param kind LLM-FP4 itself, or one of the baselines of its paper
 * @param weightExponent exponent bits of the weights; 0 to search them or, if the kind does not
 *     search, for the usual number
 * @param activationExponent exponent bits of the activations, likewise
 * @param candidates number of ranges that are tried
 * @param rounds the most alternations between weights and activations
 * @param rows the most tokens that a layer's output is compared on; the range of activations is
 *     measured on all tokens
 */
@AutoService(Compression.class)
public record LlmFp4(
    int weightBits,
    int activationBits,
    Kind kind,
    int weightExponent,
    int activationExponent,
    int candidates,
    int rounds,
    int rows)
    implements Compression {
  /** Defaults: W4A4 as in the paper. */
  public LlmFp4() {
    this(4, 4, Kind.PRE_SHIFTED);
  }

  /** The paper's settings with other bits, or a baseline. */
  public LlmFp4(int weightBits, int activationBits, Kind kind) {
    this(weightBits, activationBits, kind, 0, 0, 100, 3, 1024);
  }

  /** The same with another search: fewer candidates, rounds or rows take less time. */
  public LlmFp4 withSearch(int otherCandidates, int otherRounds, int otherRows) {
    return new LlmFp4(
        weightBits,
        activationBits,
        kind,
        weightExponent,
        activationExponent,
        otherCandidates,
        otherRounds,
        otherRows);
  }

  /** Checks the values. */
  public LlmFp4 {
    new MiniFloatLinear.Config(weightBits, activationBits, kind); // checks these
    check("weightExponent", weightBits, weightExponent, kind);
    check("activationExponent", activationBits, activationExponent, kind);
    Checks.atLeast("candidates", candidates, 1);
    Checks.atLeast("rounds", rounds, 1);
    Checks.atLeast("rows", rows, 1);
  }

  private static void check(String name, int bits, int exponent, Kind kind) {
    if (exponent == 0) {
      return;
    }
    if (kind == Kind.INT && exponent != 1) {
      throw new IllegalArgumentException(
          name + " is " + exponent + ": integers have no exponent, expected 0");
    }
    try {
      new MiniFloat(bits, exponent);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(name + ": " + e.getMessage(), e);
    }
  }

  @Override
  public String type() {
    return "llm-fp4";
  }

  @Override
  public Needs needs() {
    return Needs.CALIBRATION;
  }

  /** Whether formats and ranges are searched. */
  boolean searches() {
    return kind == Kind.SEARCHED || kind == Kind.PRE_SHIFTED;
  }

  /** The formats that weights may have. */
  List<MiniFloat> weightFormats() {
    return formats(weightBits, weightExponent);
  }

  /** The formats that activations may have. */
  List<MiniFloat> activationFormats() {
    return formats(activationBits, activationExponent);
  }

  private List<MiniFloat> formats(int bits, int exponent) {
    if (exponent > 0) {
      return List.of(new MiniFloat(bits, exponent));
    }
    return switch (kind) {
      case INT -> List.of(MiniFloat.integer(bits));
      case MIN_MAX -> List.of(MiniFloat.usual(bits));
      case SEARCHED, PRE_SHIFTED -> MiniFloat.all(bits);
    };
  }

  @Override
  public Model apply(Model model, CalibrationData calibration) {
    return apply(model, calibration, done -> {});
  }

  @Override
  public Model apply(Model model, CalibrationData calibration, DoubleConsumer progress) {
    return ModelRebuilder.replaced(
        type(),
        model,
        new MiniFloatLinear.Config(weightBits, activationBits, kind),
        MiniFloatLinear.class,
        layers -> LayerInputs.fit(type(), model, layers, calibration, rows, progress, this::fit));
  }

  private void fit(String name, MiniFloatLinear layer, Linear original, CalibrationSample sample) {
    try (Scope scope = Scope.open()) {
      Tensor weight = original.weight().value().detach().to(DType.FLOAT32);
      if (!weight.isFinite().all()) {
        throw new IllegalArgumentException(
            "the weight of the layer " + name + " holds numbers that are not finite");
      }
      MiniFloatSearch.Found found =
          new MiniFloatSearch(this, weight, sample.rows(), sample.largest()).find();
      layer.quantize(original, found.weights(), found.activations(), found.shifts());
    }
  }
}
