package dev.jformer.compress.quantize;

import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.compress.Compression;
import dev.jformer.config.Configs;
import dev.jformer.decode.Generator;
import dev.jformer.decode.Sampling;
import dev.jformer.hub.Models;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.nn.ForwardHook;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Module;
import dev.jformer.nn.quantized.Int8Linear;
import dev.jformer.nn.quantized.Int8Share;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class LlmInt8Test {
  private static final Tensor IDS =
      Tensor.of(new long[] {3, 1, 4, 1, 5, 9, 2, 6, 5, 3}, 2, 5).keep();

  @TempDir private Path folder;

  private static Model model(String json) {
    Model model = Configs.parse(json.replace('\'', '"'), Model.Config.class).build();
    model.train(false);
    return model;
  }

  private static CausalLm language(String more) {
    return (CausalLm)
        model(
            "{'model':'causal-lm','layers':2,'width':64,'vocab':300,'length':8,'mixer':{'heads':2}"
                + more
                + "}");
  }

  static Stream<Compression> methods() {
    return Stream.of(new LlmInt8(), new LlmInt8(0), new WeightInt8(), new WeightInt4(32));
  }

  @Test
  void methodsAreFoundByTheirNames() {
    assertTrue(
        Configs.parts(Compression.class)
            .keySet()
            .containsAll(List.of("llm-int8", "weight-int8", "weight-int4")));
    assertEquals(
        new LlmInt8(5),
        Configs.parse("{\"type\":\"llm-int8\",\"threshold\":5}", Compression.class));
    assertEquals(Compression.Needs.NOTHING, new LlmInt8().needs());
  }

  @ParameterizedTest
  @MethodSource("methods")
  void theSourceIsUntouchedAndTheResultItsOwn(Compression method) {
    CausalLm model = language("");
    Map<String, Tensor> before = new LinkedHashMap<>();
    model.parameters().forEach((name, p) -> before.put(name, p.value().detach().copy()));
    Tensor logits = model.logits(IDS).detach().copy();
    Tensor random = Random.state();
    CausalLm made = (CausalLm) method.apply(model, null);
    assertSame(random, Random.state(), "random state");
    assertEquals(new Linear.Config(), model.config().projection());
    before.forEach((name, p) -> assertSame(p, model.parameters().get(name).value(), name));
    assertSame(logits, model.logits(IDS), "the source's logits");
    assertFalse(made.isTraining());
    assertEquals(method.type(), made.config().projection().type());

    double apart = made.logits(IDS).sub(logits).norm().item() / logits.norm().item();
    assertTrue(apart > 0 && apart < (method instanceof WeightInt4 ? 0.2 : 0.03), "" + apart);
    Tensor own = made.logits(IDS).copy();
    model.parameters().values().forEach(p -> p.value().detach().fill_(0.5));
    assertSame(own, made.logits(IDS), "after the source changed");
  }

  @ParameterizedTest
  @MethodSource("methods")
  void survivesSavingToTheBit(Compression method) throws IOException {
    CausalLm made = (CausalLm) method.apply(language(""), null);
    Models.save(made, folder);
    CausalLm loaded = assertInstanceOf(CausalLm.class, Models.load(folder));
    assertEquals(made.config(), loaded.config());
    made.parameters()
        .forEach((name, p) -> assertSame(p.value(), loaded.parameters().get(name).value(), name));
    assertSame(made.logits(IDS), loaded.logits(IDS), "logits");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ",'tied':false", ",'position':{'type':'rope'},'bias':false"})
  void takesAQuarterOfTheBytes(String more) throws IOException {
    CausalLm model =
        (CausalLm)
            model(
                "{'model':'causal-lm','layers':3,'width':256,'vocab':4000,'length':64,"
                    + "'mixer':{'heads':2}"
                    + more
                    + "}");
    Models.save(model, folder.resolve("plain"));
    Models.save(new LlmInt8().apply(model, null), folder.resolve("int8"));
    Models.save(new WeightInt4().apply(model, null), folder.resolve("int4"));
    double plain = bytes(folder.resolve("plain"));
    assertTrue(bytes(folder.resolve("int8")) < 0.27 * plain);
    assertTrue(bytes(folder.resolve("int4")) < 0.16 * plain);
  }

  private static double bytes(Path model) throws IOException {
    return Files.size(model.resolve("model.safetensors"));
  }

  @Test
  void otherFamiliesWorkTheSame() throws IOException {
    Encoder encoder =
        (Encoder)
            model(
                "{'model':'encoder','layers':2,'width':32,'vocab':40,'labels':3,'length':8,"
                    + "'mixer':{'heads':2}}");
    Encoder smaller = (Encoder) new LlmInt8().apply(encoder, null);
    double apart =
        smaller.mlmLogits(IDS, null).sub(encoder.mlmLogits(IDS, null)).norm().item()
            / encoder.mlmLogits(IDS, null).norm().item();
    assertTrue(apart > 0 && apart < 0.05, "" + apart);
    assertEquals(DType.INT8, smaller.parameters().get("embedding.weight").value().dtype());
    Models.save(smaller, folder);
    assertSame(
        smaller.logits(IDS, null), ((Encoder) Models.load(folder)).logits(IDS, null), "loaded");

    Model pictures = model("{'model':'vit','layers':2,'width':32,'size':8,'mixer':{'heads':2}}");
    assertInstanceOf(ImageModel.class, new LlmInt8().apply(pictures, null));
  }

  @ParameterizedTest
  @MethodSource("methods")
  void decodesStepByStepAsWhole(Compression method) {
    CausalLm made = (CausalLm) method.apply(language(""), null);
    int[] prompt = {3, 1, 4};
    var request = new Generator.Request(4, Sampling.GREEDY);
    List<Integer> ids =
        new Generator(made).generate(List.of(prompt), request, x -> "", null).get(0).ids();
    assertEquals(4, ids.size());
    long[] all = {3, 1, 4, ids.get(0), ids.get(1), ids.get(2)};
    Tensor logits = made.logits(Tensor.of(all, 1, 6)).squeeze(0).narrow(0, 2, 4);
    Tensor best = logits.max(1, false);
    for (int i = 0; i < 4; i++) {
      // Rounding depends on which rows stand together: what was taken is the best, or as good.
      double taken = logits.select(0, i).select(0, ids.get(i)).item();
      assertTrue(taken > best.select(0, i).item() - 0.02, "token " + i);
    }
  }

  @Test
  void refusesWhatDoesNotGoTogether() {
    Model once = new LlmInt8().apply(language(""), null);
    assertRefused("already compressed by llm-int8", new LlmInt8(3), once);
    assertRefused("not 'llm-int8'", new WeightInt4(), once);
    assertRefused(
        "fold", new LlmInt8(), language(",'projection':{'type':'sigma-reparam','gain':'one'}"));
    CausalLm changed = language("");
    changed.replace("blocks.1.ffn.up", new Int8Linear.Config().build(64, 256, true, null));
    assertRefused("blocks.1.ffn.up", new LlmInt8(), changed);
    CausalLm broken = language("");
    broken.parameters().get("blocks.0.mixer.out.weight").value().detach().fill_(Double.NaN);
    assertRefused("blocks.0.mixer.out", new LlmInt8(), broken);
  }

  private static void assertRefused(String part, Compression method, Model model) {
    var error = assertThrows(IllegalArgumentException.class, () -> method.apply(model, null));
    assertTrue(error.getMessage().contains(part), error.getMessage());
  }

  /** In plain loops over the inputs of all 8-bit layers. */
  @ParameterizedTest
  @ValueSource(doubles = {0, 1e-9, 0.5, 1e9})
  void countsWhatIsMultipliedInEightBits(double threshold) {
    CausalLm model = (CausalLm) new LlmInt8(threshold).apply(language(""), null);
    Map<String, Module> modules = model.modules();
    double[] regularAndAll = new double[2];
    try (ForwardHook hook =
        ForwardHook.on(
            model,
            name -> modules.get(name) instanceof Int8Linear,
            seen -> count(seen.input(), threshold, regularAndAll))) {
      model.logits(IDS);
    }
    try (Int8Share share = Int8Share.of(model)) {
      assertTrue(Double.isNaN(share.value()), "nothing ran yet");
      model.logits(IDS);
      assertEquals(regularAndAll[0] / regularAndAll[1], share.value(), 1e-12);
    }
    assertTrue(threshold == 0.5 ? regularAndAll[0] > 0 : regularAndAll[1] > 0, "it was run");
  }

  private static void count(Tensor x, double threshold, double[] regularAndAll) {
    int features = (int) x.size(x.rank() - 1);
    double[] values = x.toDoubles();
    for (int feature = 0; feature < features; feature++) {
      double largest = 0;
      for (int i = feature; i < values.length; i += features) {
        largest = Math.max(largest, Math.abs(values[i]));
      }
      int rows = values.length / features;
      regularAndAll[0] += threshold == 0 || largest < threshold ? rows : 0;
      regularAndAll[1] += rows;
    }
  }
}
