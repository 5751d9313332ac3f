package dev.jformer.model.vision;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.hub.Models;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class VisionTransformerTest {
  private static VisionTransformer.Config config(String fields) {
    return (VisionTransformer.Config)
        Configs.parse(
            "{\"model\":\"vit\",\"size\":16,\"classes\":3,\"patch\":4,\"layers\":2,\"width\":16"
                + fields
                + "}",
            Model.Config.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ",\"stem\":\"convolutional\"",
        ",\"pool\":\"token\"",
        ",\"residual\":{\"layerScale\":0.1,\"stochasticDepth\":0.5}",
        ",\"norm\":{\"type\":\"group\"}",
        ",\"placement\":\"post\""
      })
  void learnsIsSavedAndLoaded(String fields, @TempDir Path folder) throws IOException {
    VisionTransformer model = config(fields).build();
    Tensor images = Tensor.rand(2, 3, 16, 16);
    Tensor logits = model.logits(images);
    assertEquals("[2x3]", logits.shape().toString());
    logits.square().sum().backward();
    model
        .parameters()
        .forEach(
            (name, p) ->
                assertTrue(!p.value().requiresGrad() || p.value().grad().isFinite().all(), name));
    model.train(false);
    try (Mode mode = Autograd.noGrad()) {
      Tensor before = model.logits(images);
      assertSame(before, model.logits(images), "inference draws nothing");
      Models.save(model, folder);
      try (VisionTransformer loaded = (VisionTransformer) Models.load(folder)) {
        loaded.train(false);
        assertSame(before, loaded.logits(images), "loaded");
      }
    }
  }

  @Test
  void everyMixerThatLooksBothWaysFits() {
    int fit = 0;
    for (Map.Entry<String, TokenMixer.Config> part :
        Configs.parts(TokenMixer.Config.class).entrySet()) {
      VisionTransformer model;
      try {
        model = config(",\"mixer\":{\"type\":\"" + part.getKey() + "\"}").build();
      } catch (IllegalArgumentException e) {
        assertTrue(e.getMessage().length() > 20, part.getKey() + " says why");
        continue;
      }
      model.logits(Tensor.rand(2, 3, 16, 16)).square().sum().backward();
      Tensor gradient = model.parameters().get("stem.patches.weight").value().grad();
      assertTrue(gradient.isFinite().all(), part.getKey());
      model.close();
      fit++;
    }
    assertTrue(fit >= 15, fit + " mixers fit");
  }

  /** The linear stem is a matrix for each patch, read row by row. */
  @Test
  void tokensArePatchesRowByRow() {
    VisionTransformer model = config("").build();
    Tensor images = Tensor.rand(1, 3, 16, 16);
    PatchStem stem = (PatchStem) model.modules().get("stem");
    Tensor weight = model.parameters().get("stem.patches.weight").value().flatten(1, 3);
    Tensor bias = model.parameters().get("stem.patches.bias").value();
    try (Mode mode = Autograd.noGrad()) {
      Tensor tokens = stem.forward(images);
      for (long t : new long[] {0, 3, 6, 15}) {
        Tensor patch = images.narrow(2, t / 4 * 4, 4).narrow(3, t % 4 * 4, 4).flatten(0, 3);
        Tensor expected = weight.matmul(patch).add(bias);
        assertClose(expected.toDoubles(), tokens.select(0, 0).select(0, t), 1e-5);
      }
    }
  }

  /** Brighter and paler images are the same to a model that was told of their channels. */
  @Test
  void standardisesPixels() {
    VisionTransformer model = config("").build();
    model.train(false);
    Tensor images = Tensor.rand(2, 3, 16, 16);
    try (Mode mode = Autograd.noGrad()) {
      model.standardise(Tensor.of(new float[] {.1f, .2f, .3f}), Tensor.of(new float[] {1, 1, 1}));
      Tensor shift = Tensor.of(new float[] {.1f, .2f, .3f}, 1, 3, 1, 1);
      Tensor plain = model.logits(images);
      model.standardise(Tensor.of(new float[] {.2f, .4f, .6f}), Tensor.of(new float[] {2, 2, 2}));
      assertClose(
          plain.toDoubles(),
          model.logits(images.sub(shift).mul(2).add(shift.mul(2))).to(DType.FLOAT64),
          1e-4);
    }
  }

  @Test
  void leavesHalvesOutInTraining() {
    VisionTransformer model = config(",\"residual\":{\"stochasticDepth\":0.9}").build();
    model.train(true);
    Tensor images = Tensor.rand(8, 3, 16, 16);
    try (Mode mode = Autograd.noGrad()) {
      assertFalse(model.logits(images).sameAs(model.logits(images)), "passes differ");
    }
  }

  @Test
  void refusesWhatDoesNotFit() {
    assertThrows(RuntimeException.class, () -> config(",\"patch\":5"));
    assertThrows(RuntimeException.class, () -> config(",\"patch\":1,\"stem\":\"convolutional\""));
    VisionTransformer model = config("").build();
    assertThrows(IllegalArgumentException.class, () -> model.logits(Tensor.rand(1, 3, 16, 17)));
    assertThrows(
        IllegalArgumentException.class,
        () -> config(",\"mixer\":{\"type\":\"softmax\",\"heads\":3}").build());
  }
}
