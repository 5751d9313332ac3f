package dev.jformer.model.diffusion;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.config.Configs;
import dev.jformer.hub.Models;
import dev.jformer.model.Model;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(Scoped.class)
class UNetTest {
  private static UNet.Config config(String fields) {
    String usual =
        "\"model\":\"unet\",\"size\":8,\"classes\":3,\"widths\":[8,16],\"conditionWidth\":16,"
            + "\"groups\":4,\"headDim\":8";
    return (UNet.Config)
        Configs.parse("{" + without(usual, fields) + fields + "}", Model.Config.class);
  }

  /** The usual fields without those that are given. */
  private static String without(String usual, String fields) {
    String left = usual;
    for (String name : new String[] {"size", "widths", "groups", "headDim"}) {
      if (fields.contains("\"" + name + "\"")) {
        left = left.replaceAll(",\"" + name + "\":(\\[[^]]*]|[^,]*)", "");
      }
    }
    return left;
  }

  private static Tensor labels(long... values) {
    return Tensor.of(values, values.length);
  }

  /** Numbers of a name, as tools/fixtures/make_unet.py has them. */
  private static Tensor values(String name, double factor, double scale, long... shape) {
    int first = name.chars().sum();
    int count = (int) java.util.Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    double[] all =
        IntStream.range(0, count).mapToDouble(i -> scale * Math.sin(factor * i + first)).toArray();
    return Tensor.of(all, shape);
  }

  private static double[] numbers(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false)
        .mapToDouble(JsonNode::asDouble)
        .toArray();
  }

  /** Outputs and gradients are those of diffusers' UNet2DModel. */
  @Test
  void isTheNetworkOfDiffusers() throws IOException {
    JsonNode all = new JsonMapper().readTree(getClass().getResourceAsStream("unet.json"));
    assertEquals(4, all.size());
    for (JsonNode example : all) {
      String shape = example.get("config").toString();
      UNet model = (UNet) Configs.parse(shape, Model.Config.class).build();
      Map<String, Parameter> weights = model.parameters();
      weights.forEach((name, p) -> p.replace(values(name, 1.3, 0.3, p.value().shape().toArray())));
      int batch = example.get("batch").asInt();
      int size = model.config().size();
      int channels = model.config().channels();
      Tensor x = values("x", 1.3, 1, batch, channels, size, size).requiresGrad(true);
      Tensor level = values("level", 0.7, 1, batch);
      long[] classes = IntStream.range(0, batch).mapToLong(i -> i % 4).toArray();
      Tensor output = model.network(x, level, labels(classes));
      assertClose(numbers(example.get("output")), output, 1e-8, shape);
      output.backward(values("direction", 0.9, 1, output.shape().toArray()));
      assertClose(numbers(example.get("gradX")), x.grad(), 1e-8, shape);
      assertEquals(weights.size(), example.get("gradients").size());
      weights.forEach(
          (name, p) -> {
            Tensor factors = values(name, 0.9, 1, p.value().shape().toArray());
            double found = p.value().grad().mul(factors).sum().item();
            double expected = example.get("gradients").get(name).asDouble();
            assertEquals(expected, found, 1e-8 * (1 + Math.abs(expected)), shape + " " + name);
          });
      model.close();
    }
  }

  @Test
  void aNewModelPredictsWhatTheNoisyImageAloneSays() {
    UNet model = config("").build();
    Tensor noisy = Tensor.randn(3, 1, 8, 8);
    Tensor sigma = Tensor.of(new float[] {0.5f, 2, 0.1f}, 3);
    Tensor expected = noisy.mul(model.config().edm().skip(sigma).view(3, 1, 1, 1));
    assertClose(expected, model.denoise(noisy, sigma, labels(0, 1, 3)), 1e-6);
  }

  @Test
  void theLossIsThatOfThePredictions() {
    UNet model = Weights.draw(config("").build());
    Tensor images = Tensor.rand(2, 1, 8, 8).to(DType.FLOAT64);
    Tensor noise = Tensor.randn(2, 1, 8, 8).to(DType.FLOAT64);
    double[] sigmas = {0.3, 4};
    Tensor sigma = Tensor.of(sigmas, 2);
    Tensor noisy = images.add(noise.mul(sigma.view(2, 1, 1, 1)));
    double[] made = model.denoise(noisy, sigma, labels(1, 2)).toDoubles();
    double[] real = images.toDoubles();
    double sum = 0;
    for (int i = 0; i < made.length; i++) {
      double s = sigmas[i / 64];
      double weight = (s * s + 0.25) / (s * s * 0.25);
      sum += weight * (made[i] - real[i]) * (made[i] - real[i]) / made.length;
    }
    assertEquals(sum, model.loss(images, labels(1, 2), sigma, noise).item(), 1e-9 * sum);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "1; 1; [8]; 1",
        "2; 3; [8,8]; 1",
        "5; 1; [8]; 2",
        "8; 1; [8,16]; 2",
        "12; 3; [16,8,8]; 1",
        "16; 1; [8,8,8,8]; 1",
        "32; 1; [8,8,16,8,8,16]; 1",
      })
  void learnsIsSavedAndLoaded(
      int size, int channels, String widths, int blocks, @TempDir Path folder) throws IOException {
    UNet.Config config =
        config(
            String.format(
                ",\"size\":%d,\"channels\":%d,\"widths\":%s,\"blocks\":%d",
                size, channels, widths, blocks));
    UNet model = config.build();
    Tensor images = Tensor.rand(3, channels, size, size);
    Tensor noise = Tensor.randn(3, channels, size, size);
    Tensor sigma = config.edm().draw(3);
    for (Parameter each : model.trained()) {
      each.copyFrom(
          each.value().detach().add(Tensor.randn(each.value().shape().toArray()).mul(0.1)));
    }
    model.loss(images, labels(0, 1, 3), sigma, noise).backward();
    model
        .parameters()
        .forEach(
            (name, p) ->
                assertTrue(p.value().grad() != null && p.value().grad().isFinite().all(), name));
    model.train(false);
    try (Mode mode = Autograd.noGrad()) {
      Tensor before = model.denoise(images, sigma, labels(0, 1, 3));
      assertEquals(images.shape(), before.shape());
      Models.save(model, folder);
      try (UNet loaded = (UNet) Models.load(folder)) {
        loaded.train(false);
        assertEquals(config, loaded.config());
        assertSame(before, loaded.denoise(images, sigma, labels(0, 1, 3)), "loaded");
      }
    }
  }

  @Test
  void anImageDependsOnItsClassAndNoiseLevelAndOnNoOther() {
    UNet model = Weights.draw(config("").build());
    model.train(false);
    Tensor noisy = Tensor.randn(3, 1, 8, 8).to(DType.FLOAT64);
    Tensor sigma = Tensor.of(new double[] {0.1, 1, 9}, 3);
    Tensor all = model.denoise(noisy, sigma, labels(0, 1, 3));
    Tensor second = noisy.narrow(0, 1, 1);
    Tensor one = model.denoise(second, sigma.narrow(0, 1, 1), labels(1));
    assertClose(all.narrow(0, 1, 1).contiguous(), one, 1e-10);
    assertFalse(model.denoise(second, sigma.narrow(0, 1, 1), labels(2)).sameAs(one), "class");
    Tensor scaled = second.mul(model.config().edm().in(sigma.narrow(0, 1, 1)).view(1, 1, 1, 1));
    Tensor quiet = model.network(scaled, Tensor.of(new double[] {-0.5}, 1), labels(1));
    Tensor loud = model.network(scaled, Tensor.of(new double[] {0.5}, 1), labels(1));
    assertFalse(quiet.sameAs(loud), "noise level");
  }

  /** Another mixer at the lowest resolution, one without weights too. */
  @Test
  void theMixerIsAPart() {
    UNet plain = config(",\"mixer\":{\"type\":\"identity\"}").build();
    assertFalse(plain.parameters().keySet().stream().anyMatch(name -> name.contains("mixer.qkv")));
    Tensor images = Tensor.randn(2, 1, 8, 8);
    plain.loss(images, labels(0, 1), Tensor.ones(2), images).backward();
    UNet far = Weights.draw(config("").build());
    Tensor noisy = Tensor.randn(1, 1, 8, 8).to(DType.FLOAT64).requiresGrad(true);
    Tensor made = far.denoise(noisy, Tensor.of(new double[] {1}, 1), labels(0));
    made.select(0, 0).select(0, 0).select(0, 0).select(0, 0).backward();
    assertTrue(noisy.grad().abs().min().item() > 0, "a pixel sees all of its image");
  }

  @Test
  void namesWhatDoesNotFit() {
    assertMessage(
        ",\"size\":6,\"widths\":[8,8,8]",
        "size is 6: expected a multiple of 4, because 3 levels (widths) halve it 2 times");
    assertMessage(
        ",\"widths\":[8,18]", "widths is [8, 18]: expected multiples of the number of groups 4");
    assertMessage(",\"headDim\":5", "headDim is 5: expected a divisor of the last width 16");
    assertMessage(",\"widths\":[]", "the number of widths is 0: expected 1 to 12");
    assertMessage(",\"widths\":[8,0]", "widths is 0: expected 1 to 65536");
    assertMessage(",\"channels\":2", "channels is 2: expected 1 for grey, or 3");
    UNet model = config("").build();
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> model.denoise(Tensor.randn(2, 1, 9, 9), Tensor.rand(2), labels(0, 1)))
            .getMessage();
    assertTrue(message.contains("expected [B, 1, 8, 8]"), message);
    assertTrue(model.toString().startsWith("unet, images of 8 x 8, 3 classes"), model.toString());
  }

  private static void assertMessage(String fields, String expected) {
    RuntimeException thrown = assertThrows(RuntimeException.class, () -> config(fields));
    assertTrue(thrown.getMessage().contains(expected), thrown.getMessage());
  }
}
