package dev.jformer.model.diffusion;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.ffn.expert.Experts;
import dev.jformer.hub.Models;
import dev.jformer.mixer.NaiveAttention;
import dev.jformer.model.Model;
import dev.jformer.nn.ForwardHook;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Flops;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class DiffusionTransformerTest {
  /** A small model, whose fields may be set otherwise. */
  private static DiffusionTransformer.Config config(String fields) {
    StringBuilder json = new StringBuilder("{\"model\":\"dit\"").append(fields);
    Map<String, Integer> usual =
        Map.of(
            "size",
            8,
            "channels",
            1,
            "classes",
            3,
            "patch",
            2,
            "layers",
            3,
            "width",
            16,
            "headDim",
            8);
    usual.forEach(
        (name, value) -> {
          if (!fields.contains(",\"" + name + "\"")) {
            json.append(",\"").append(name).append("\":").append(value);
          }
        });
    return (DiffusionTransformer.Config)
        Configs.parse(json.append('}').toString(), Model.Config.class);
  }

  private static final String MIXER = ",\"patchMixer\":{\"width\":8, \"layers\":2}";
  private static final String EXPERTS = ",\"experts\":{\"count\":4}";
  private static final String SCALING =
      ",\"scaling\":{\"attentionFirst\":0.5,\"attentionLast\":1,\"hiddenFirst\":0.5,\"hiddenLast\":4}";

  private static Tensor labels(long... values) {
    return Tensor.of(values, values.length);
  }

  /** The block's definition, in plain loops. */
  private static double[][] block(double[][] x, double[][] c, Weights w, String name, int heads) {
    double[] m = Loops.linear(c, w, name + "modulation")[0];
    int width = x[0].length;
    double[][] mixed =
        new NaiveAttention(heads, heads, false)
            .at(name + "mixer.")
            .forward(modulated(x, m, 0, 1), w);
    double[][] now = gated(x, mixed, m, 2 * width);
    double[][] joined = Loops.linear(modulated(now, m, 3, 4), w, name + "ffn.gateUp");
    int hidden = joined[0].length / 2;
    for (double[] row : joined) {
      for (int i = 0; i < hidden; i++) {
        row[i] = Loops.silu(row[i]) * row[hidden + i];
      }
    }
    double[][] made = Loops.linear(Loops.columns(joined, 0, hidden), w, name + "ffn.down");
    return gated(now, made, m, 5 * width);
  }

  private static double[][] modulated(double[][] x, double[] m, int shift, int scale) {
    int width = x[0].length;
    double[] ones = new double[width];
    Arrays.fill(ones, 1);
    double[][] y = Loops.layerNorm(x, ones, null, 1e-6);
    for (double[] row : y) {
      for (int i = 0; i < width; i++) {
        row[i] = row[i] * (1 + m[scale * width + i]) + m[shift * width + i];
      }
    }
    return y;
  }

  private static double[][] gated(double[][] x, double[][] branch, double[] m, int from) {
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      y[t] = x[t].clone();
      for (int i = 0; i < y[t].length; i++) {
        y[t][i] += m[from + i] * branch[t][i];
      }
    }
    return y;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void aBlockIsItsDefinition(int length) {
    DiffusionBlock block =
        config(",\"width\":8,\"headDim\":4,\"scaling\":{\"hiddenFirst\":1,\"hiddenLast\":1}")
            .build()
            .blocks()
            .get(1);
    Tensor c = Tensor.randn(1, 8).to(DType.FLOAT64);
    double[][] condition = {c.toDoubles()};
    ModuleChecks.matches(
        block,
        x -> block.forward(x, c.expand(x.size(0), -1)),
        (x, w) -> block(x, condition, w, "", 2),
        Tensor.randn(2, length, 8).to(DType.FLOAT64));
  }

  /** The whole network in plain loops: patches, places, condition, blocks, output. */
  private static double[] network(
      double[] image, double level, int label, Weights w, DiffusionTransformer.Config config) {
    int rows = config.size() / config.patch();
    int p = config.patch();
    double[][] cut = new double[rows * rows][p * p];
    for (int y = 0; y < config.size(); y++) {
      for (int x = 0; x < config.size(); x++) {
        cut[y / p * rows + x / p][y % p * p + x % p] = image[y * config.size() + x];
      }
    }
    double[] waves = new double[128];
    for (int i = 0; i < 64; i++) {
      double angle = level * 0.25 * Math.pow(256, i / 63.0);
      waves[i] = Math.cos(angle);
      waves[64 + i] = Math.sin(angle);
    }
    double[][] c = Loops.linear(new double[][] {waves}, w, "condition.first");
    c = Loops.linear(Loops.map(c, Loops::silu), w, "condition.second");
    double[][] known = {w.matrix("condition.classes.weight")[label]};
    c = Loops.map(Loops.add(c, known), Loops::silu);
    double[][] x = Loops.linear(cut, w, "stem");
    int narrow = x[0].length;
    for (int t = 0; t < x.length; t++) {
      int row = t / rows;
      for (int i = 0; i < narrow / 4; i++) {
        double rate = Math.pow(10_000, -4.0 * i / narrow);
        x[t][i] += (float) Math.sin(row * rate);
        x[t][narrow / 4 + i] += (float) Math.cos(row * rate);
        x[t][narrow / 2 + i] += (float) Math.sin(t % rows * rate);
        x[t][3 * narrow / 4 + i] += (float) Math.cos(t % rows * rate);
      }
    }
    for (int i = 0; i < config.patchMixer().layers(); i++) {
      x = block(x, c, w, "patchMixer.blocks." + i + ".", narrow / config.headDim());
    }
    x = narrow == config.width() ? x : Loops.linear(x, w, "between");
    for (int i = 0; i < config.layers(); i++) {
      x = block(x, c, w, "blocks." + i + ".", config.width() / config.headDim());
    }
    double[][] out =
        Loops.linear(modulated(x, Loops.linear(c, w, "modulation")[0], 0, 1), w, "head");
    double[] joined = new double[image.length];
    for (int y = 0; y < config.size(); y++) {
      for (int i = 0; i < config.size(); i++) {
        joined[y * config.size() + i] = out[y / p * rows + i / p][y % p * p + i % p];
      }
    }
    return joined;
  }

  @ParameterizedTest
  @ValueSource(strings = {"", MIXER, ",\"size\":12", ",\"patch\":1,\"size\":11"})
  void predictionsAreThoseOfTheDefinition(String fields) {
    DiffusionTransformer.Config config = config(fields);
    DiffusionTransformer model = Weights.draw(config.build());
    Weights w = Weights.of(model);
    int size = config.size();
    Tensor noisy = Tensor.randn(3, 1, size, size).to(DType.FLOAT64);
    double[] sigmas = {0.01, 0.7, 40};
    Tensor found = model.denoise(noisy, Tensor.of(sigmas, 3), labels(2, 3, 0));
    for (int b = 0; b < 3; b++) {
      double s = sigmas[b];
      double total = s * s + 0.25;
      double[] image = noisy.select(0, b).contiguous().toDoubles();
      double[] scaled = Arrays.stream(image).map(v -> v / Math.sqrt(total)).toArray();
      double[] f = network(scaled, Math.log(s) / 4, new int[] {2, 3, 0}[b], w, config);
      double[] expected = new double[image.length];
      for (int i = 0; i < image.length; i++) {
        expected[i] = 0.25 / total * image[i] + s * 0.5 / Math.sqrt(total) * f[i];
      }
      assertClose(expected, found.select(0, b).contiguous(), 1e-9, "image " + b);
    }
  }

  @Test
  void aNewModelPredictsWhatTheNoisyImageAloneSays() {
    DiffusionTransformer model = config(MIXER + EXPERTS + SCALING).build();
    Tensor noisy = Tensor.randn(2, 1, 8, 8);
    Tensor sigma = Tensor.of(new float[] {0.5f, 2}, 2);
    Tensor expected = noisy.mul(model.config().edm().skip(sigma).view(2, 1, 1, 1));
    assertClose(expected, model.denoise(noisy, sigma, labels(0, 1)), 1e-6);
  }

  @Test
  void widthsGrowWithTheDepthAndExpertsStandInEverySecondBlock() {
    DiffusionTransformer model = config(",\"layers\":6" + MIXER + EXPERTS + SCALING).build();
    Map<String, dev.jformer.nn.Parameter> all = model.parameters();
    assertEquals("[24x16]", all.get("blocks.0.mixer.qkv.weight").value().shape().toString());
    assertEquals("[48x16]", all.get("blocks.5.mixer.qkv.weight").value().shape().toString());
    assertEquals("[96x16]", all.get("blocks.5.ffn.gateUp.weight").value().shape().toString());
    // 0.5 + 3.5 · 3 / 5 of 16
    assertEquals("[42x16]", all.get("blocks.3.ffn.experts.0.up.weight").value().shape().toString());
    List<Boolean> experts =
        model.blocks().stream().map(block -> block.ffn() instanceof Experts).toList();
    assertEquals(List.of(false, true, false, true, false, false), experts);
  }

  /** The tokens that each block gets. */
  private static List<Long> tokens(DiffusionTransformer model, Runnable pass) {
    List<Long> seen = new ArrayList<>();
    try (ForwardHook hook =
        ForwardHook.on(
            model, name -> name.endsWith("mixer.qkv"), input -> seen.add(input.input().size(1)))) {
      pass.run();
    }
    return seen;
  }

  private static Tensor loss(DiffusionTransformer model) {
    Tensor images = Tensor.rand(5, 1, 8, 8).mul(2.0).sub(1.0);
    return model.loss(
        images, labels(0, 1, 2, 3, 0), model.config().edm().draw(5), Tensor.randn(5, 1, 8, 8));
  }

  @ParameterizedTest
  @CsvSource({"deferred, 16, 4", "naive, 4, 4", "none, 16, 16"})
  void patchesAreLeftOutWhereTheConfigurationSays(String place, long mixer, long others) {
    String masking = ",\"masking\":{\"place\":\"" + place + "\",\"share\":0.75,\"finish\":0.25}";
    DiffusionTransformer model = config(MIXER + masking).build();
    List<Long> masked = List.of(mixer, mixer, others, others, others);
    List<Long> whole = List.of(16L, 16L, 16L, 16L, 16L);
    model.before(0, 8);
    assertEquals(masked, tokens(model, () -> loss(model)));
    model.before(5, 8);
    assertEquals(masked, tokens(model, () -> loss(model)));
    model.before(6, 8);
    assertEquals(whole, tokens(model, () -> loss(model)), "the last quarter sees all");
    model.before(0, 8);
    model.train(false);
    assertEquals(whole, tokens(model, () -> loss(model)), "inference sees all");
  }

  /** Without a share to leave out, masking changes the order of the patches only. */
  @ParameterizedTest
  @ValueSource(strings = {"deferred", "naive"})
  void maskingNothingChangesNothing(String place) {
    String masking = ",\"masking\":{\"place\":\"" + place + "\",\"share\":0}";
    DiffusionTransformer model = Weights.draw(config(MIXER + masking).build());
    Tensor images = Tensor.rand(2, 1, 8, 8).to(DType.FLOAT64);
    Tensor sigma = Tensor.of(new double[] {0.3, 1}, 2);
    Tensor noise = Tensor.randn(2, 1, 8, 8).to(DType.FLOAT64);
    double shuffled = model.loss(images, labels(0, 1), sigma, noise).item();
    model.train(false);
    double plain = model.loss(images, labels(0, 1), sigma, noise).item();
    assertEquals(plain, shuffled, 1e-9);
    Tensor denoised =
        model.denoise(images.add(noise.mul(sigma.view(2, 1, 1, 1))), sigma, labels(0, 1));
    double expected = model.config().edm().losses(denoised, images, sigma).mean().item();
    assertEquals(expected, plain, 1e-9, "the loss is that of the predictions");
  }

  /** What a patch that is left out holds reaches the loss through the patch mixer only. */
  @ParameterizedTest
  @CsvSource({"deferred, true", "naive, false"})
  void gradientsReachPatchesThatAreLeftOutThroughThePatchMixer(String place, boolean reach) {
    String masking = ",\"masking\":{\"place\":\"" + place + "\",\"share\":0.75}";
    DiffusionTransformer model = Weights.draw(config(MIXER + masking).build());
    Tensor noise = Tensor.randn(1, 1, 8, 8).to(DType.FLOAT64).requiresGrad(true);
    Tensor images = Tensor.rand(1, 1, 8, 8).to(DType.FLOAT64);
    model.loss(images, labels(0), Tensor.of(new double[] {1}, 1), noise).backward();
    long touched = Arrays.stream(noise.grad().toDoubles()).filter(g -> g != 0).count();
    assertEquals(reach ? 64 : 16, touched);
  }

  @Test
  void leavingPatchesOutSavesTheOperationsOfTheOtherBlocks() {
    String deferred = ",\"masking\":{\"place\":\"deferred\",\"share\":0.75}";
    double masked = flops(config(MIXER + deferred));
    double whole = flops(config(MIXER));
    assertTrue(masked < 0.5 * whole, masked + " of " + whole);
  }

  private static double flops(DiffusionTransformer.Config config) {
    DiffusionTransformer model = config.build();
    try (Mode mode = Autograd.noGrad()) {
      return Flops.of(() -> loss(model));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        MIXER + EXPERTS + SCALING + ",\"masking\":{\"place\":\"deferred\"}",
        ",\"channels\":3"
      })
  void learnsIsSavedAndLoaded(String fields, @TempDir Path folder) throws IOException {
    DiffusionTransformer.Config config = config(fields);
    DiffusionTransformer model = config.build();
    Tensor images = Tensor.rand(4, config.channels(), 8, 8);
    Tensor noise = Tensor.randn(4, config.channels(), 8, 8);
    Tensor sigma = config.edm().draw(4);
    for (dev.jformer.nn.Parameter each : model.trained()) {
      each.copyFrom(
          each.value().detach().add(Tensor.randn(each.value().shape().toArray()).mul(0.1)));
    }
    model.loss(images, labels(0, 1, 2, 3), sigma, noise).backward();
    model
        .parameters()
        .forEach(
            (name, p) ->
                assertTrue(p.value().grad() != null && p.value().grad().isFinite().all(), name));
    model.train(false);
    try (Mode mode = Autograd.noGrad()) {
      Tensor before = model.denoise(images, sigma, labels(0, 1, 2, 3));
      Models.save(model, folder);
      try (DiffusionTransformer loaded = (DiffusionTransformer) Models.load(folder)) {
        loaded.train(false);
        assertEquals(config, loaded.config());
        assertSame(before, loaded.denoise(images, sigma, labels(0, 1, 2, 3)), "loaded");
      }
    }
  }

  @Test
  void anImageDoesNotDependOnOthersOfTheBatch() {
    DiffusionTransformer model = Weights.draw(config(MIXER + EXPERTS).build());
    model.train(false);
    Tensor noisy = Tensor.randn(3, 1, 8, 8).to(DType.FLOAT64);
    Tensor sigma = Tensor.of(new double[] {0.1, 1, 9}, 3);
    Tensor all = model.denoise(noisy, sigma, labels(0, 1, 3));
    Tensor one = model.denoise(noisy.narrow(0, 1, 1), sigma.narrow(0, 1, 1), labels(1));
    assertClose(all.narrow(0, 1, 1).contiguous(), one, 1e-10);
    Tensor other = model.denoise(noisy.narrow(0, 1, 1), sigma.narrow(0, 1, 1), labels(2));
    assertFalse(other.sameAs(one), "the class counts");
  }

  @Test
  void namesWhatDoesNotFit() {
    assertMessage(",\"patch\":3", "patch is 3: expected a divisor of the size 8");
    assertMessage(",\"channels\":2", "channels is 2: expected 1 for grey, or 3");
    assertMessage(",\"width\":20", "width is 20: expected a multiple of headDim 8");
    assertMessage(
        ",\"masking\":{\"place\":\"deferred\"}",
        "masking.place is DEFERRED: expected a patch mixer too");
    assertMessage(",\"experts\":{\"count\":1}", "capacity is 2.0: expected at most the count 1");
    DiffusionTransformer model = config("").build();
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> model.denoise(Tensor.randn(2, 1, 9, 9), Tensor.rand(2), labels(0, 1)))
            .getMessage();
    assertTrue(message.contains("expected [B, 1, 8, 8]"), message);
  }

  private static void assertMessage(String fields, String expected) {
    RuntimeException thrown = assertThrows(RuntimeException.class, () -> config(fields));
    assertTrue(thrown.getMessage().contains(expected), thrown.getMessage());
  }

  /** Groups with latents (FIT) are a backbone too; groups of five patches do not divide the 16. */
  @Test
  void blocksMayHaveGroupsWithLatents() {
    String fit =
        ",\"mixer\":{\"type\":\"fit\",\"layout\":\"(1)1(1)\",\"group\":5,\"latents\":2,"
            + "\"latentHeads\":2,\"local\":{\"type\":\"softmax\",\"heads\":2}}";
    for (String masking : List.of("", MIXER + ",\"masking\":{\"place\":\"deferred\"}")) {
      DiffusionTransformer model = Weights.draw(config(fit + masking).build());
      Tensor images = Tensor.randn(2, 1, 8, 8).to(DType.FLOAT64);
      Tensor sigma = Tensor.of(new double[] {0.3, 2}, 2);
      Tensor noise = Tensor.randn(2, 1, 8, 8).to(DType.FLOAT64);
      model.loss(images, labels(0, 2), sigma, noise).backward();
      Tensor latents = model.parameters().get("blocks.0.mixer.latents").value().grad();
      assertTrue(latents.abs().max().item() > 0, "latents learn" + masking);
      model.train(false);
      Tensor noisy = images.copy().requiresGrad(true);
      Tensor made = model.denoise(noisy, sigma, labels(0, 2));
      made.select(0, 0).select(0, 0).select(0, 0).select(0, 0).backward();
      Tensor seen = noisy.grad().select(0, 0).abs();
      assertTrue(seen.min().item() > 0, "a pixel sees all of its image" + masking);
      assertEquals(0, noisy.grad().select(0, 1).abs().max().item(), "and no other image");
    }
  }
}
