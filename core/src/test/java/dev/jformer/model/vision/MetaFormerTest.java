package dev.jformer.model.vision;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.hub.Models;
import dev.jformer.io.SafetensorsFile;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.MetaMode;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(Scoped.class)
class MetaFormerTest {
  private static MetaFormer.Config config(String fields) {
    return (MetaFormer.Config)
        Configs.parse(
            "{\"model\":\"metaformer\""
                + with(fields, "size", "32")
                + with(fields, "classes", "3")
                + with(fields, "depths", "[1,2]")
                + with(fields, "widths", "[8,12]")
                + fields
                + "}",
            Model.Config.class);
  }

  /** A field with its usual value, unless others name it. */
  private static String with(String fields, String name, String value) {
    return fields.contains('"' + name + '"') ? "" : ",\"" + name + "\":" + value;
  }

  /** 11.9 M, and to the weight what timm's PoolFormer-S12, made from the authors' code, has. */
  @Test
  void poolFormerS12HasItsWeights() {
    try (MetaMode mode = MetaMode.open(10_000);
        MetaFormer model = new MetaFormer.Config().build()) {
      assertEquals(11_915_176, model.parameterCount());
    }
  }

  /** Values that timm's PoolFormer computed; tools/fixtures/make_poolformer.py wrote them. */
  @Test
  void isTheAuthors() throws IOException {
    Path file = Path.of("src/test/resources/dev/jformer/model/vision/poolformer.safetensors");
    MetaFormer model = config(",\"classes\":5,\"residual\":{\"layerScale\":0.5}").build();
    model.train(false);
    try (SafetensorsFile authors = SafetensorsFile.open(file)) {
      model
          .parameters()
          .forEach(
              (name, p) ->
                  p.replace(
                      name.startsWith("pixels.")
                          ? (name.endsWith("mean") ? Tensor.zeros(3) : Tensor.ones(3))
                              .to(DType.FLOAT64)
                          : authors.tensor(name).copy()));
      Tensor x = authors.tensor("x").copy().requiresGrad(true);
      Tensor output = model.logits(x);
      assertClose(authors.tensor("output").toDoubles(), output, 1e-10);
      output.backward(authors.tensor("direction"));
      assertClose(authors.tensor("grad.x").toDoubles(), x.grad(), 1e-9);
    }
  }

  @Test
  void everyMixerThatLooksBothWaysFits() {
    int fit = 0;
    for (Map.Entry<String, TokenMixer.Config> part :
        Configs.parts(TokenMixer.Config.class).entrySet()) {
      MetaFormer model;
      try {
        model = config(",\"widths\":[8,16],\"mixer\":{\"type\":\"" + part.getKey() + "\"}").build();
      } catch (IllegalArgumentException e) {
        assertTrue(e.getMessage().length() > 20, part.getKey() + " says why");
        continue;
      }
      model.logits(Tensor.rand(2, 3, 32, 32)).square().sum().backward();
      Tensor gradient = model.parameters().get("patches.0.weight").value().grad();
      assertTrue(gradient.isFinite().all(), part.getKey());
      model.close();
      fit++;
    }
    assertTrue(fit >= 15, fit + " mixers fit");
  }

  @Test
  void isSavedAndLoaded(@TempDir Path folder) throws IOException {
    MetaFormer model = config("").build();
    model.train(false);
    try (Mode mode = Autograd.noGrad()) {
      Tensor images = Tensor.rand(2, 3, 32, 32);
      Tensor before = model.logits(images);
      Models.save(model, folder);
      try (MetaFormer loaded = (MetaFormer) Models.load(folder)) {
        loaded.train(false);
        assertSame(before, loaded.logits(images), "loaded");
      }
    }
  }

  @Test
  void refusesWhatDoesNotFit() {
    assertThrows(RuntimeException.class, () -> config(",\"depths\":[1]"));
    assertThrows(
        RuntimeException.class,
        () -> config(",\"size\":1,\"first\":{\"kernel\":7,\"stride\":4,\"padding\":0}"));
    assertThrows(
        RuntimeException.class,
        () ->
            new CausalLm(
                (CausalLm.Config)
                    Configs.parse(
                        "{\"model\":\"causal-lm\",\"norm\":{\"type\":\"group\"}}",
                        Model.Config.class)));
  }
}
