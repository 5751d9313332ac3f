package dev.jformer.compress;

import com.google.auto.service.AutoService;
import dev.jformer.config.Configs;
import dev.jformer.model.Model;
import dev.jformer.nn.Linear;
import dev.jformer.nn.MiniFloat;
import dev.jformer.nn.MiniFloatLinear;
import dev.jformer.nn.MiniFloatLinear.Kind;
import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Probe;
import dev.jformer.nn.Projection;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * LLM-FP4 (arXiv 2310.16836): the linear layers of a model's blocks compute with weights and
 * activations of 4 or 8 bits, and their weights are stored so; see {@link MiniFloatLinear}. Formats
 * and ranges are those that suit a layer's own output best on the calibration data, one layer at a
 * time, given what the layer is given in the model as it was. Embeddings, norms, the output layer,
 * and products of activations inside of attention stay floats. The paper keeps the output layer and
 * norms so too, but rounds embeddings, and the products in models that are not language models.
 *
 * @param weightBits 4 or 8
 * @param activationBits 3 to 8
 * @param kind LLM-FP4 itself, or one of the baselines of its paper
 * @param weightExponent exponent bits of the weights; 0 to search them, or where the kind does not
 *     search, for the usual ones
 * @param activationExponent the same of the activations
 * @param candidates how many ranges are tried
 * @param rounds how often weights and activations take turns at most
 * @param rows how many tokens are kept to compare a layer's output at most; how large activations
 *     become is learned from all
 */
@AutoService(Surgery.class)
public record LlmFp4(
    int weightBits,
    int activationBits,
    Kind kind,
    int weightExponent,
    int activationExponent,
    int candidates,
    int rounds,
    int rows)
    implements Surgery {
  /** W4A4 as in the paper. */
  public LlmFp4() {
    this(4, 4, Kind.PRE_SHIFTED);
  }

  /** As in the paper with other bits, or a baseline. */
  public LlmFp4(int weightBits, int activationBits, Kind kind) {
    this(weightBits, activationBits, kind, 0, 0, 100, 3, 1024);
  }

  /** Checks the values. */
  public LlmFp4 {
    new MiniFloatLinear.Config(weightBits, activationBits, kind); // checks these
    check("weightExponent", weightBits, weightExponent, kind);
    check("activationExponent", activationBits, activationExponent, kind);
    positive("candidates", candidates);
    positive("rounds", rounds);
    positive("rows", rows);
  }

  private static void check(String name, int bits, int exponent, Kind kind) {
    if (exponent == 0) {
      return;
    }
    if (kind == Kind.INT && exponent != 1) {
      throw new IllegalArgumentException(
          name + " is " + exponent + ": integers have none, expected 0");
    }
    try {
      new MiniFloat(bits, exponent);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(name + ": " + e.getMessage(), e);
    }
  }

  private static void positive(String name, int value) {
    if (value < 1) {
      throw new IllegalArgumentException(name + " is " + value + ": expected at least 1");
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
  public Model operate(Model model, Calibration calibration) {
    if (calibration == null) {
      throw new IllegalArgumentException(
          "llm-fp4 needs calibration data: it looks at how large activations become");
    }
    Model.Config config = compressed(model.config());
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      var random = Random.state();
      Model result = config.build();
      Random.restore(random); // the weights just drawn are of no account
      Map<String, Sample> samples = new LinkedHashMap<>();
      try {
        layers(model, result).forEach((name, layer) -> samples.put(name, new Sample(rows)));
        look(model, calibration, samples);
        fill(model, result, samples);
        result.train(false);
        return result;
      } catch (RuntimeException | Error e) {
        result.close();
        throw e;
      } finally {
        samples.values().forEach(Sample::close);
      }
    }
  }

  /**
   * The configuration of the result.
   *
   * @throws IllegalArgumentException if the method does not suit the model
   */
  private Model.Config compressed(Model.Config config) {
    Projection ours = new MiniFloatLinear.Config(weightBits, activationBits, kind);
    Model.Config compressed =
        Configs.replace(
            config,
            Projection.class,
            projection -> {
              if (projection instanceof MiniFloatLinear.Config) {
                throw new IllegalArgumentException(
                    "the model is already compressed by llm-fp4: operate on the original");
              }
              if (!(projection instanceof Linear.Config)) {
                throw new IllegalArgumentException(
                    "the model's linear layers are of the projection "
                        + projection.type()
                        + ": llm-fp4 suits linear; fold the model first, if it can be");
              }
              return ours;
            });
    if (compressed.equals(config)) {
      throw new IllegalArgumentException(
          "a model of the family "
              + config.type()
              + " has no linear layers in blocks: there is nothing for llm-fp4 to compress");
    }
    return compressed;
  }

  /** The layers that will be compressed, by name. */
  private static Map<String, Linear> layers(Model model, Model result) {
    Map<String, Module> modules = model.modules();
    Map<String, Linear> layers = new LinkedHashMap<>();
    result
        .modules()
        .forEach(
            (name, module) -> {
              if (module instanceof MiniFloatLinear) {
                if (!(modules.get(name) instanceof Linear linear)) {
                  throw new IllegalArgumentException(
                      "the model is not what its configuration builds: instead of the linear layer "
                          + name
                          + " it has "
                          + (modules.containsKey(name)
                              ? "a " + modules.get(name).getClass().getSimpleName()
                              : "none"));
                }
                layers.put(name, linear);
              }
            });
    return layers;
  }

  private static void look(Model model, Calibration calibration, Map<String, Sample> samples) {
    boolean training = model.isTraining();
    model.train(false);
    try (Probe probe =
        Probe.on(
            model, samples::containsKey, seen -> samples.get(seen.layer()).add(seen.input()))) {
      calibration.run(model);
    } finally {
      model.train(training);
    }
    if (samples.values().stream().allMatch(Sample::isEmpty)) {
      throw new IllegalArgumentException("the calibration data is empty: the model did not run");
    }
    samples.forEach(
        (name, sample) -> {
          if (sample.isEmpty()) {
            throw new IllegalArgumentException(
                "calibrating, the layer " + name + " was never run: the data must use all layers");
          }
          if (!sample.largest().isFinite().all()) {
            throw new IllegalArgumentException(
                "calibrating, the layer "
                    + name
                    + " was given numbers that are not finite: the model or the data is broken");
          }
        });
  }

  private void fill(Model model, Model result, Map<String, Sample> samples) {
    Map<String, Parameter> sources = model.parameters();
    Map<String, Module> modules = result.modules();
    result
        .parameters()
        .forEach(
            (name, parameter) -> {
              int dot = name.lastIndexOf('.');
              if (dot > 0 && samples.containsKey(name.substring(0, dot))) {
                return;
              }
              Parameter source = sources.get(name);
              if (source == null) {
                throw new IllegalArgumentException(
                    "the model is not what its configuration builds: it lacks " + name);
              }
              parameter.replace(source.value().detach().copy());
            });
    layers(model, result)
        .forEach(
            (name, layer) -> {
              try (Scope scope = Scope.open()) {
                Sample sample = samples.get(name);
                var weight = layer.weight().value().detach().to(DType.FLOAT32);
                if (!weight.isFinite().all()) {
                  throw new IllegalArgumentException(
                      "the weight of the layer " + name + " holds numbers that are not finite");
                }
                MiniFloatSearch.Found found =
                    new MiniFloatSearch(this, weight, sample.rows(), sample.largest()).find();
                ((MiniFloatLinear) modules.get(name))
                    .quantize(layer, found.weights(), found.activations(), found.shifts());
              }
            });
  }
}
