package dev.jformer.compress.quantize;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.config.ConfigException;
import dev.jformer.config.Configs;
import dev.jformer.hub.Models;
import dev.jformer.io.SafetensorsFile;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Module;
import dev.jformer.nn.quantized.MiniFloat;
import dev.jformer.nn.quantized.MiniFloatLinear;
import dev.jformer.nn.quantized.MiniFloatLinear.Kind;
import dev.jformer.nn.quantized.MiniFloatQuantizer;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class LlmFp4Test {
  /** Values that the authors' code computed; tools/fixtures/make_llm_fp4.py wrote them. */
  private static final Path AUTHORS =
      Path.of("src/test/resources/dev/jformer/compress/quantize/llm-fp4.safetensors");

  private static final String LM =
      "{'model':'causal-lm','layers':2,'width':12,'vocab':17,'length':8,'mixer':{'heads':2}%s}";
  private static final String ENCODER =
      "{'model':'encoder','layers':2,'width':12,'vocab':17,'length':8,'mixer':{'heads':2}}";
  private static final String VIT =
      "{'model':'vit','size':8,'classes':3,'patch':4,'layers':2,'width':12,'mixer':{'heads':2}}";
  private static final String METAFORMER =
      "{'model':'metaformer','size':16,'classes':3,'depths':[1,1],'widths':[8,12],"
          + "'mixer':{'type':'pooling'}}";

  @TempDir private Path folder;

  private static Model model(String json) {
    Model model = Configs.parse(json.formatted("").replace('\'', '"'), Model.Config.class).build();
    model.parameters().values().stream()
        .filter(p -> p.isTrainable() && p.value().rank() > 1)
        .forEach(p -> p.value().detach().add_(Tensor.randn(p.value().shape().toArray()), 0.2));
    model.train(false);
    return model;
  }

  private static Tensor input(Model model) {
    return model instanceof ImageModel images
        ? Tensor.rand(3, 3, images.config().size(), images.config().size())
        : Tensor.randint(0, 17, 3, 8);
  }

  private static Tensor output(Model model, Tensor input) {
    try (Mode mode = Autograd.noGrad()) {
      if (model instanceof ImageModel images) {
        return images.logits(input);
      }
      return model instanceof CausalLm lm
          ? lm.logits(input)
          : ((Encoder) model).hidden(input, null);
    }
  }

  private static CalibrationData calibration(Tensor... inputs) {
    return model -> List.of(inputs).forEach(input -> output(model, input));
  }

  private static LlmFp4 quick(int weightBits, int activationBits, Kind kind) {
    return new LlmFp4(weightBits, activationBits, kind, 0, 0, 20, 2, 64);
  }

  @ParameterizedTest
  @ValueSource(strings = {"searched", "eval-E2M1", "eval-E4M3"})
  void aLayerOfTheAuthorsBiasesComputesWhatTheirsDoes(String name) throws IOException {
    try (SafetensorsFile authors = SafetensorsFile.open(AUTHORS)) {
      Case theirs = new Case(authors, name);
      Tensor weight = theirs.get("weight").copy();
      MiniFloatQuantizer weights =
          new MiniFloatQuantizer(
              theirs.format(0), steps(theirs.format(0), theirs.get("weightBias")).unsqueeze(1));
      assertClose(theirs.get("roundedWeight"), weights.round(weight), 1e-6);
      MiniFloatQuantizer activations =
          new MiniFloatQuantizer(
              theirs.format(1), steps(theirs.format(1), theirs.get("layerBias")));
      Tensor shifts = theirs.shifts();
      assertTrue(shifts.max().item() > 1, "the channels differ");
      Tensor x = theirs.get("x");
      assertClose(theirs.get("roundedX"), activations.shifted(shifts).round(x), 1e-5);
      MiniFloatLinear layer =
          new MiniFloatLinear.Config(theirs.bits(), theirs.bits(), Kind.PRE_SHIFTED)
              .build(24, 16, true, null);
      layer.quantize(new Linear(weight, theirs.get("bias").copy()), weights, activations, shifts);
      layer.train(false);
      assertClose(theirs.get("output"), layer.forward(x).detach(), 1e-4);
    }
  }

  /** Where nothing is searched but the first ranges, they are those of the authors. */
  @ParameterizedTest
  @ValueSource(strings = {"eval-E2M1", "eval-E4M3"})
  void theFirstRangesAreTheAuthors(String name) throws IOException {
    try (SafetensorsFile authors = SafetensorsFile.open(AUTHORS)) {
      Case theirs = new Case(authors, name);
      LlmFp4 method =
          new LlmFp4(
              theirs.bits(),
              theirs.bits(),
              Kind.PRE_SHIFTED,
              theirs.format(0).exponent(),
              theirs.format(1).exponent(),
              1,
              1,
              64);
      MiniFloatSearch.Found first = theirs.search(method).first();
      assertClose(
          steps(theirs.format(0), theirs.get("weightBias")),
          first.weights().step().squeeze(1),
          1e-6);
      assertClose(
          steps(theirs.format(1), theirs.get("layerBias")), first.activations().step(), 1e-6);
      assertSame(theirs.shifts(), first.shifts(), "shifts");
    }
  }

  @Test
  void findsNoWorseThanTheAuthors() throws IOException {
    try (SafetensorsFile authors = SafetensorsFile.open(AUTHORS)) {
      Case theirs = new Case(authors, "searched");
      Tensor exact = Functional.linear(theirs.get("x"), theirs.get("weight"), theirs.get("bias"));
      double error = theirs.get("output").sub(exact).square().sum().item();
      MiniFloatSearch.Found found = theirs.search(new LlmFp4()).find();
      Tensor ours =
          Functional.linear(
              found.explicit().round(theirs.get("x")),
              found.weights().round(theirs.get("weight")),
              theirs.get("bias"));
      assertTrue(
          ours.sub(exact).square().sum().item() <= 1.01 * error,
          ours.sub(exact).square().sum().item() + " against " + error);
    }
  }

  /** A case of the fixture. */
  private record Case(SafetensorsFile file, String name) {
    Tensor get(String key) {
      return file.tensor(name + "." + key);
    }

    int bits() {
      return name.endsWith("E4M3") ? 8 : 4;
    }

    MiniFloat format(int which) {
      return new MiniFloat(bits(), (int) get("exponents").toLongs()[which]);
    }

    /** The integers that the authors add to the layer's bias. */
    Tensor shifts() {
      double layer = Math.rint(get("layerBias").item());
      double[] channels = get("channelBias").toDoubles();
      float[] shifts = new float[channels.length];
      for (int j = 0; j < shifts.length; j++) {
        double most = layer + (1 << format(1).exponent()) - 1;
        shifts[j] = (float) (Math.min(Math.max(Math.rint(channels[j]), layer), most) - layer);
      }
      return Tensor.of(shifts, shifts.length);
    }

    MiniFloatSearch search(LlmFp4 method) {
      Tensor x = get("x").squeeze(0);
      return new MiniFloatSearch(method, get("weight"), x, x.abs().max(0, false));
    }
  }

  private static Tensor steps(MiniFloat format, Tensor biases) {
    double[] bias = biases.toDoubles();
    float[] steps = new float[bias.length];
    for (int i = 0; i < steps.length; i++) {
      steps[i] = (float) Math.pow(2, 1 - format.mantissa() - bias[i]);
    }
    return Tensor.of(steps, steps.length);
  }

  /** The compressed model is the original with its linear layers simulated, to the bit. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        LM + "|4|4",
        ENCODER + "|4|8",
        VIT + "|8|8",
        VIT + "|4|4",
        METAFORMER + "|4|4",
      })
  void isTheModelOfRoundedNumbersAndIsReloadedToTheBit(String json, int weightBits, int bits)
      throws IOException {
    for (Kind kind : Kind.values()) {
      Model model = model(json);
      Tensor input = input(model);
      Map<String, Tensor> before = copies(model);
      Map<String, Module> modules = model.modules();
      Tensor random = Random.state();
      model.train(true);
      Model small = quick(weightBits, bits, kind).apply(model, calibration(input));
      assertTrue(model.isTraining());
      assertTrue(random.sameAs(Random.state()), "nothing is drawn");
      assertEquals(modules, model.modules());
      before.forEach(
          (name, tensor) -> assertSame(tensor, model.parameters().get(name).value(), name));
      model.train(false);
      assertFalse(small.isTraining());
      assertEquals(model.getClass(), small.getClass());

      Tensor computed = output(small, input);
      Tensor plain = output(model, input);
      double error = computed.sub(plain).square().mean().item();
      assertTrue(error > 0 && error < plain.square().mean().item(), kind + ": " + error);

      Path place = folder.resolve(kind.name());
      Models.save(small, place);
      try (Model again = Models.load(place)) {
        assertEquals(small.config(), again.config());
        assertSame(computed, output(again, input), kind + " reloaded");
      }
      simulate(model, small);
      assertSame(computed, output(model, input), kind + " simulated");
    }
  }

  private static Map<String, Tensor> copies(Model model) {
    Map<String, Tensor> copies = new LinkedHashMap<>();
    model.parameters().forEach((name, p) -> copies.put(name, p.value().detach().copy()));
    return copies;
  }

  /** Puts plain layers, which round what they take and have rounded weights, into a model. */
  private static void simulate(Model model, Model small) {
    int[] count = {0};
    small
        .modules()
        .forEach(
            (name, module) -> {
              if (module instanceof MiniFloatLinear layer) {
                Linear linear = (Linear) model.modules().get(name);
                double largest = linear.weight().value().abs().max().item();
                double off =
                    layer.weight().sub(linear.weight().value().detach()).abs().max().item();
                assertTrue(off > 0 && off < 0.5 * largest, name + " is off by " + off);
                Tensor bias = linear.bias() == null ? null : linear.bias().value().detach();
                model.replace(name, new Simulated(layer.activations(), layer.weight(), bias));
                count[0]++;
              }
            });
    assertTrue(count[0] > 0);
  }

  private static final class Simulated extends Layer {
    private final MiniFloatQuantizer activations;
    private final Tensor weight;
    private final Tensor bias;

    Simulated(MiniFloatQuantizer activations, Tensor weight, Tensor bias) {
      this.activations = activations;
      this.weight = weight;
      this.bias = bias;
    }

    @Override
    public Tensor forward(Tensor x) {
      return Functional.linear(activations.round(x), weight, bias);
    }
  }

  @Test
  void embeddingsNormsAndTheOutputLayerStayAsTheyAre() {
    Model model = model(LM.replace("%s", ",'tied':false"));
    Model small = quick(4, 4, Kind.PRE_SHIFTED).apply(model, calibration(input(model)));
    for (String name :
        List.of("embedding.weight", "head.weight", "norm.weight", "position.weight")) {
      assertSame(
          model.parameters().get(name).value().detach(),
          small.parameters().get(name).value().detach(),
          name);
    }
    for (String name : List.of("mixer.qkv", "mixer.out", "ffn.up", "ffn.down")) {
      assertInstanceOf(MiniFloatLinear.class, small.modules().get("blocks.1." + name));
    }
  }

  @Test
  void fourBitsAreAnEighthOnDisk() throws IOException {
    String wide = LM.replace("'width':12", "'width':128");
    Model model = model(wide);
    Models.save(model, folder.resolve("plain"));
    Tensor input = input(model);
    for (int bits : new int[] {4, 8}) {
      Path place = folder.resolve("W" + bits);
      Models.save(quick(bits, 8, Kind.PRE_SHIFTED).apply(model, calibration(input)), place);
      // 0.9 and 1.1: weights of the norms and tables stay floats, and each row has a step.
      double ratio = (double) bytes(folder.resolve("plain")) / bytes(place);
      assertTrue(ratio > 0.8 * 32 / bits && ratio < 32.0 / bits, bits + " bits: " + ratio);
    }
  }

  private static long bytes(Path folder) throws IOException {
    return Files.size(folder.resolve("model.safetensors"));
  }

  /**
   * Of a layer whose channels differ: each step of the paper lowers the error on the data that it
   * was calibrated on.
   */
  @ParameterizedTest
  @CsvSource({"4, 4", "4, 8", "8, 8"})
  void eachKindIsBetterThanTheOneBefore(int weightBits, int bits) {
    Tensor x = Tensor.randn(200, 32).mul(Tensor.randn(32).mul(1.5).exp());
    Tensor weight = Tensor.randn(24, 32);
    Tensor exact = Functional.linear(x, weight, null);
    Map<Kind, Double> errors = new LinkedHashMap<>();
    for (Kind kind : Kind.values()) {
      MiniFloatSearch.Found found =
          new MiniFloatSearch(new LlmFp4(weightBits, bits, kind), weight, x, x.abs().max(0, false))
              .find();
      Tensor result =
          Functional.linear(found.explicit().round(x), found.weights().round(weight), null);
      errors.put(kind, result.sub(exact).square().mean().item());
    }
    assertTrue(errors.get(Kind.SEARCHED) < errors.get(Kind.INT), errors.toString());
    assertTrue(errors.get(Kind.SEARCHED) < errors.get(Kind.MIN_MAX), errors.toString());
    assertTrue(errors.get(Kind.PRE_SHIFTED) < errors.get(Kind.SEARCHED), errors.toString());
  }

  /** The search's shortcut for the weights agrees with comparing outputs of all candidates. */
  @Test
  void theSearchFindsTheBestOfAllCandidates() {
    Tensor x = Tensor.randn(40, 6);
    Tensor weight = Tensor.randn(5, 6);
    LlmFp4 method = new LlmFp4(4, 4, Kind.SEARCHED, 2, 2, 25, 1, 64);
    MiniFloatSearch search = new MiniFloatSearch(method, weight, x, x.abs().max(0, false));
    MiniFloatSearch.Found first = search.first();
    MiniFloatSearch.Found found = search.find();
    MiniFloat format = new MiniFloat(4, 2);
    Tensor exact = Functional.linear(x, weight, null);
    Tensor given = first.activations().round(x);
    double[] largest = weight.abs().max(1, false).toDoubles();
    for (int row = 0; row < 5; row++) {
      double[] errors = new double[26];
      for (int i = 0; i <= 25; i++) {
        double fraction = i == 0 ? 1 : 2.0 * i / 25;
        errors[i] = rowError(weight, given, exact, row, fraction * format.step(largest[row]));
      }
      double least = java.util.Arrays.stream(errors).min().orElseThrow();
      double ours =
          rowError(weight, given, exact, row, found.weights().step().select(0, row).item());
      assertEquals(least, ours, 1e-4 * least, "row " + row);
    }
    Tensor rounded = found.weights().round(weight);
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i <= 25; i++) {
      double fraction = i == 0 ? 1 : 2.0 * i / 25;
      double step = fraction * format.step(x.abs().max().item());
      least = Math.min(least, error(x, step, rounded, exact));
    }
    assertEquals(least, error(x, found.activations().step().item(), rounded, exact), 1e-4 * least);
  }

  private static double rowError(Tensor weight, Tensor given, Tensor exact, int row, double step) {
    MiniFloatQuantizer quantizer =
        new MiniFloatQuantizer(new MiniFloat(4, 2), Tensor.of(new float[] {(float) step}, 1));
    Tensor output = given.matmul(quantizer.round(weight.select(0, row)).unsqueeze(1));
    return output.sub(exact.narrow(1, row, 1)).square().sum().item();
  }

  private static double error(Tensor x, double step, Tensor rounded, Tensor exact) {
    MiniFloatQuantizer quantizer =
        new MiniFloatQuantizer(new MiniFloat(4, 2), Tensor.of(new float[] {(float) step}, 1));
    return Functional.linear(quantizer.round(x), rounded, null).sub(exact).square().sum().item();
  }

  @Test
  void rowsAndChannelsOfZerosDoNoHarm() {
    Tensor x = Tensor.randn(20, 6);
    x.select(1, 2).zero_();
    Tensor weight = Tensor.randn(5, 6);
    weight.select(0, 3).zero_();
    for (Kind kind : Kind.values()) {
      LlmFp4 method = quick(4, 4, kind);
      MiniFloatSearch.Found found =
          new MiniFloatSearch(method, weight, x, x.abs().max(0, false)).find();
      Tensor y = Functional.linear(found.explicit().round(x), found.weights().round(weight), null);
      assertTrue(y.isFinite().all(), kind + "");
      assertEquals(0, y.select(1, 3).abs().max().item());
      Tensor none = Tensor.zeros(20, 6);
      Tensor zero = Tensor.zeros(6);
      assertTrue(new MiniFloatSearch(method, weight, none, zero).find() != null);
    }
  }

  @Test
  void anotherSearchKeepsFormats() {
    assertEquals(
        new LlmFp4(4, 4, Kind.SEARCHED, 1, 2, 25, 1, 64),
        new LlmFp4(4, 4, Kind.SEARCHED, 1, 2, 100, 3, 1024).withSearch(25, 1, 64));
  }

  @Test
  void refusesWhatDoesNotSuit() {
    Model model = model(LM);
    Tensor ids = input(model);
    LlmFp4 method = quick(4, 4, Kind.PRE_SHIFTED);
    refuses("the calibration data is empty", method, model, m -> {});
    refuses("needs calibration data", method, model, null);
    Model small = method.apply(model, calibration(ids));
    refuses("already compressed by llm-fp4", method, small, calibration(ids));
    Model other = model(LM.formatted(",'projection':{'type':'sigma-reparam'}"));
    refuses(
        "llm-fp4 needs a model whose projection is 'linear', not 'sigma-reparam': fold",
        method,
        other,
        m -> {});
    Model none = Configs.parse("{\"model\":\"linear-forecaster\"}", Model.Config.class).build();
    refuses("'linear-forecaster' has none", method, none, m -> {});
    Model partly = model(LM);
    refuses(
        "the layer blocks.0.mixer.qkv was never run",
        method,
        partly,
        m -> ((Layer) m.modules().get("blocks.1.ffn.up")).forward(Tensor.randn(1, 12)));
    Model changed = model(LM);
    changed.replace("blocks.0.ffn.up", new dev.jformer.nn.Identity());
    refuses(
        "instead of the linear layer blocks.0.ffn.up it has a Identity", method, changed, m -> {});
    Model broken = model(LM);
    broken.parameters().get("blocks.1.mixerNorm.weight").value().detach().fill_(Double.NaN);
    refuses(
        "the layer blocks.1.mixer.qkv was given numbers that are not finite",
        method,
        broken,
        calibration(ids));
    assertTrue(broken.modules().get("blocks.1.mixer.qkv") instanceof Linear, "the probe is gone");
  }

  private static void refuses(String why, LlmFp4 method, Model model, CalibrationData calibration) {
    var error =
        assertThrows(IllegalArgumentException.class, () -> method.apply(model, calibration));
    assertTrue(error.getMessage().contains(why), error.getMessage());
  }

  @Test
  void isFoundByItsNameAndChecked() {
    assertEquals(
        new LlmFp4(4, 8, Kind.SEARCHED),
        Configs.parse(
            "{\"type\": \"llm-fp4\", \"activationBits\": 8, \"kind\": \"searched\"}",
            Compression.class));
    assertEquals(Compression.Needs.CALIBRATION, new LlmFp4().needs());
    for (String wrong :
        new String[] {
          "\"weightBits\": 3", "\"weightExponent\": 4", "\"kind\": \"int\", \"weightExponent\": 2",
          "\"candidates\": 0", "\"rounds\": 0", "\"rows\": 0"
        }) {
      var error =
          assertThrows(
              ConfigException.class,
              () -> Configs.parse("{\"type\": \"llm-fp4\", " + wrong + "}", Compression.class));
      assertTrue(error.getMessage().contains("expected"), error.getMessage());
    }
  }

  /** Whatever comes, in whatever pieces: the largest of all, and rows evenly spread. */
  @Test
  void aSampleIsEvenAndBounded() {
    Tensor all = Tensor.arange(0, 1000).to(DType.FLOAT32).unsqueeze(1);
    try (CalibrationSample sample = new CalibrationSample(64)) {
      assertTrue(sample.isEmpty());
      long start = 0;
      for (long length : new long[] {1, 6, 93, 0, 500, 3, 397}) {
        sample.add(all.narrow(0, start, length).unsqueeze(0));
        start += length;
      }
      double[] kept = sample.rows().toDoubles();
      assertEquals(63, kept.length);
      for (int i = 0; i < kept.length; i++) {
        assertEquals(16 * i, kept[i]);
      }
      assertEquals(999, sample.largest().item());
    }
  }
}
