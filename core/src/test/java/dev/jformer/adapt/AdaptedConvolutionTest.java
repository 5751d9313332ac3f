package dev.jformer.adapt;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.hub.BaseModel;
import dev.jformer.hub.Models;
import dev.jformer.hub.PeftFolder;
import dev.jformer.model.Model;
import dev.jformer.model.diffusion.UNet;
import dev.jformer.nn.Convolution2d;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

@ExtendWith(Scoped.class)
class AdaptedConvolutionTest {
  private static final double SCALE = 0.7;
  private static final int IN = 3;
  private static final int OUT = 4;
  private static final int HEIGHT = 5;
  private static final int WIDTH = 6;

  /** Noise levels of the images that the model is given. */
  private static final double[] SIGMAS = {0.3, 1, 5, 0.1, 2, 0.7};

  private static AdaptedLayer layer(
      int kernel, int stride, int padding, LowRankFactors factors, double dropout) {
    Convolution2d frozen =
        new Convolution2d(
            Tensor.randn(OUT, IN, kernel, kernel), Tensor.randn(OUT), stride, padding);
    frozen.parameters().values().forEach(p -> p.fix(true));
    AdaptedLayer layer = AdaptedLayer.of(frozen);
    layer.add("x", new LayerUpdate(List.of(new LayerUpdate.Part(0, 0, factors)), dropout, false));
    layer.use("x");
    return layer;
  }

  private static LowRankFactors factors(int kernel, int rank) {
    return new LowRankFactors(
        Tensor.randn(rank, (long) IN * kernel * kernel), Tensor.randn(OUT, rank), SCALE);
  }

  /**
   * A convolution in loops: the image's channels are rows of pixels, so are those of the result.
   */
  private static double[][] convolution(
      double[][] x, double[][] weight, int kernel, int stride, int padding) {
    int height = (HEIGHT + 2 * padding - kernel) / stride + 1;
    int width = (WIDTH + 2 * padding - kernel) / stride + 1;
    double[][] y = new double[weight.length][height * width];
    for (int o = 0; o < weight.length; o++) {
      for (int r = 0; r < height; r++) {
        for (int c = 0; c < width; c++) {
          for (int i = 0; i < x.length; i++) {
            for (int p = 0; p < kernel; p++) {
              for (int q = 0; q < kernel; q++) {
                int row = r * stride + p - padding;
                int column = c * stride + q - padding;
                if (row >= 0 && row < HEIGHT && column >= 0 && column < WIDTH) {
                  y[o][r * width + c] +=
                      weight[o][(i * kernel + p) * kernel + q] * x[i][row * WIDTH + column];
                }
              }
            }
          }
        }
      }
    }
    return y;
  }

  /** The weight of a name as a matrix whose rows are its kernels. */
  private static double[][] kernels(Weights w, String name, int kernel) {
    double[] flat = w.vector(name);
    int columns = IN * kernel * kernel;
    double[][] rows = new double[flat.length / columns][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = java.util.Arrays.copyOfRange(flat, i * columns, (i + 1) * columns);
    }
    return rows;
  }

  /** {@code (1 + a) (W x) + b̂ + b + s B f(A x)} in loops, f a ReLU if there is a or b. */
  private static double[][] updated(
      double[][] x, Weights w, int kernel, int stride, int padding, int rank, boolean affine) {
    double[][] y = convolution(x, kernels(w, "weight", kernel), kernel, stride, padding);
    double[][] low =
        rank == 0
            ? new double[0][]
            : convolution(x, kernels(w, "adapters.x.0.a", kernel), kernel, stride, padding);
    double[] gain = w.vector("adapters.x.0.gain");
    for (int o = 0; o < OUT; o++) {
      for (int p = 0; p < y[o].length; p++) {
        double sum = y[o][p] * (1 + (gain == null ? 0 : gain[o])) + w.vector("bias")[o];
        sum += affine ? w.vector("adapters.x.0.shift")[o] : 0;
        for (int r = 0; r < rank; r++) {
          double value = affine ? Math.max(0, low[r][p]) : low[r][p];
          sum += SCALE * w.matrix("adapters.x.0.b")[o][r] * value;
        }
        y[o][p] = sum;
      }
    }
    return y;
  }

  @ParameterizedTest
  @CsvSource({
    "3, 1, 1, 2, lora",
    "3, 2, 1, 1, lora",
    "1, 1, 0, 3, lora",
    "4, 2, 1, 2, lora",
    "3, 1, 1, 2, affiner",
    "3, 2, 1, 1, affiner",
    "1, 1, 0, 2, affiner",
    "3, 2, 1, 0, bitfit"
  })
  void isItsDefinition(int kernel, int stride, int padding, int rank, String kind) {
    LowRankFactors plain = factors(kernel, rank);
    boolean affine = !kind.equals("lora");
    LowRankFactors factors =
        affine ? plain.with(AffineChange.none(OUT, kind.equals("affiner"))) : plain;
    AdaptedLayer layer = layer(kernel, stride, padding, factors, 0);
    ModuleChecks.matches(
        layer,
        x -> layer.forward(x.unflatten(2, HEIGHT, WIDTH)).flatten(2, 3),
        (x, w) -> updated(x, w, kernel, stride, padding, rank, affine),
        Tensor.randn(2, IN, HEIGHT * WIDTH).to(DType.FLOAT64));
  }

  /** Numbers of a name, as tools/fixtures/make_peft_convolution.py has them. */
  private static Tensor values(String name, long... shape) {
    int first = name.chars().sum();
    int count = (int) java.util.Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    double[] all = IntStream.range(0, count).mapToDouble(i -> Math.sin(1.3 * i + first)).toArray();
    return Tensor.of(all, shape);
  }

  private static double[] numbers(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false)
        .mapToDouble(JsonNode::asDouble)
        .toArray();
  }

  @Test
  void isWhatPeftComputes() throws IOException {
    JsonNode all =
        new JsonMapper().readTree(getClass().getResourceAsStream("peft-convolution.json"));
    for (JsonNode example : all) {
      boolean dora = example.get("dora").asBoolean();
      LowRankFactors factors =
          new LowRankFactors(
              values("a", 2, IN * 9),
              values("b", OUT, 2),
              1.5,
              dora ? values("magnitude", OUT) : null);
      AdaptedLayer layer = layer(3, 2, 1, factors, 0);
      layer.frozen().parameters().get("weight").replace(values("weight", OUT, IN, 3, 3));
      layer.frozen().parameters().get("bias").replace(values("bias", OUT));
      Tensor output = layer.forward(values("x", 2, IN, HEIGHT, WIDTH));
      assertClose(numbers(example.get("output")), output, 1e-10, "output");
      output.backward(values("direction", output.shape().toArray()));
      LowRankUpdate update = layer.updates("x").get(0);
      assertClose(numbers(example.get("gradA")), update.a().value().grad(), 1e-10, "A");
      assertClose(numbers(example.get("gradB")), update.b().value().grad(), 1e-10, "B");
      Convolution2d merged = (Convolution2d) layer.merged("x");
      assertClose(numbers(example.get("merged")), merged.weight().value(), 1e-10, "merged");
      assertClose(output, merged.forward(values("x", 2, IN, HEIGHT, WIDTH)), 1e-10);
    }
  }

  /** Dropout acts on the input of the update alone, and in training alone. */
  @Test
  void dropoutSetsInputsOfTheUpdateToZero() {
    AdaptedLayer layer = layer(3, 1, 1, factors(3, 2), 0.5);
    Tensor x = Tensor.randn(2, IN, HEIGHT, WIDTH);
    Tensor base = layer.frozen().forward(x);
    layer.train(true);
    Tensor first = layer.forward(x).sub(base);
    assertFalse(first.sameAs(layer.forward(x).sub(base)), "drawn anew each time");
    Tensor mean = Tensor.zeros(first.shape().toArray());
    for (int i = 0; i < 400; i++) {
      mean = mean.add(layer.forward(x).sub(base).detach(), 1.0 / 400);
    }
    layer.train(false);
    Tensor whole = layer.forward(x).sub(base);
    assertSame(whole, layer.forward(x).sub(base), "inference");
    double error = mean.sub(whole).square().mean().item() / whole.square().mean().item();
    assertTrue(error < 0.02, "the mean is that without dropout: " + error);
  }

  private static UNet model() {
    UNet model =
        new UNet.Config()
            .with(
                c ->
                    c.size(8)
                        .classes(3)
                        .widths(List.of(8, 12))
                        .groups(4)
                        .headDim(4)
                        .conditionWidth(16))
            .build();
    disturb(model, 0.05);
    model.train(false);
    return model;
  }

  private static void disturb(Model model, double deviation) {
    for (Parameter p : model.trained()) {
      Tensor draw = Tensor.randn(p.value().shape().toArray()).mul(deviation);
      p.copyFrom(p.value().detach().add(draw));
    }
  }

  private static Tensor images() {
    return Tensor.randn(SIGMAS.length, 1, 8, 8);
  }

  private static Tensor denoised(UNet model, Tensor images) {
    Tensor sigma = Tensor.of(SIGMAS, SIGMAS.length).to(DType.FLOAT32);
    return model.denoise(images, sigma, Tensor.of(new long[] {0, 2, 3, 1, 3, 0}, SIGMAS.length));
  }

  private static AdaptationData data(UNet model, Tensor images) {
    return new AdaptationData() {
      @Override
      public void run(long index) {
        denoised(model, images.add((double) index));
      }

      @Override
      public Model model() {
        return model;
      }
    };
  }

  @Test
  void allLayersOfTheBlocksAreAdapted() {
    UNet model = model();
    List<String> names =
        Adapters.targets(model, List.of()).stream().map(AdapterTarget::name).toList();
    assertTrue(
        names.containsAll(
            List.of(
                "downBlocks.0.residual.0.first",
                "downBlocks.0.residual.0.modulation",
                "downBlocks.0.down",
                "downBlocks.1.residual.0.skip",
                "middleBlocks.1.mixer.qkv.2",
                "middleBlocks.2.second",
                "upBlocks.0.up",
                "upBlocks.1.residual.1.second")),
        names + "");
    assertTrue(names.stream().allMatch(name -> name.contains("Blocks.")), names + "");
    List<AdapterTarget> first = Adapters.targets(model, List.of("upBlocks.*.first"));
    assertEquals("upBlocks.0.residual.0.first [12, 216]", first.get(0).toString());
    assertEquals(4, first.size());
  }

  static Stream<Adapter> adapters() {
    AdapterSettings settings = new AdapterSettings(3);
    return Stream.of(
        new Lora(settings),
        new RsLora(settings),
        new Dora(settings),
        new Pissa(settings),
        new Eva(settings),
        new Affiner(settings),
        new BitFit());
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void beginsWithTheModelAndTrainsOnlyItself(Adapter adapter) {
    UNet model = model();
    Tensor images = images();
    Tensor before = denoised(model, images).detach();
    Map<String, Tensor> weights = new HashMap<>();
    model.parameters().forEach((name, p) -> weights.put(name, p.value().detach().copy()));
    Adapters.attach(model, adapter, "a", data(model, images));
    assertClose(before, denoised(model, images), 1e-5);
    denoised(model, images).square().sum().backward();
    model
        .parameters()
        .forEach(
            (name, p) -> {
              boolean trained =
                  name.contains(".adapters.a.")
                      && !name.contains("startA")
                      && !name.contains("startB")
                      && p.value().elements() > 0;
              if (trained) {
                assertNotNull(p.value().grad(), name);
              } else {
                assertNull(p.value().grad(), name);
              }
            });
    disturb(model, 0.05);
    assertFalse(before.sameAs(denoised(model, images)));
    Adapters.detach(model);
    assertClose(before, denoised(model, images), 1e-5);
    model.parameters().forEach((name, p) -> assertClose(weights.get(name), p.value(), 1e-6));
  }

  @ParameterizedTest
  @MethodSource("adapters")
  void mergesIntoTheWeightsIfItIsLinear(Adapter adapter) {
    UNet model = model();
    Tensor images = images();
    Adapters.attach(model, adapter, "a", data(model, images));
    disturb(model, 0.05);
    Tensor adapted = denoised(model, images).detach();
    if (adapter instanceof Affiner || adapter instanceof BitFit) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> Adapters.merge(model, "a"))
              .getMessage();
      assertTrue(message.contains("use it beside the model"), message);
      return;
    }
    Adapters.merge(model, "a");
    assertClose(adapted, denoised(model, images), 1e-5);
    assertTrue(model.modules().get("downBlocks.0.down") instanceof Convolution2d);
  }

  /** A folder holds kernels in PEFT's shapes. */
  @ParameterizedTest
  @MethodSource("adapters")
  void isSavedAndLoaded(Adapter adapter, @TempDir Path folder) throws IOException {
    Path base = Files.createDirectories(folder.resolve("base"));
    Path adapted = Files.createDirectories(folder.resolve("adapted"));
    UNet model = model();
    Models.save(model, base);
    Tensor images = images();
    Adapters.attach(model, adapter, Adapters.DEFAULT, data(model, images));
    disturb(model, 0.05);
    PeftFolder.save(model, Adapters.DEFAULT, adapter, BaseModel.of(base, model.config()), adapted);
    try (Mode mode = Autograd.noGrad();
        UNet loaded = (UNet) Models.load(adapted);
        var file =
            dev.jformer.io.SafetensorsFile.open(adapted.resolve("adapter_model.safetensors"))) {
      assertClose(denoised(model, images), denoised(loaded, images), 1e-5);
      String key = "base_model.model.downBlocks.0.down.";
      if (adapter instanceof Lora) {
        assertEquals("[3x8x3x3]", file.tensor(key + "lora_A.weight").shape().toString());
        assertEquals("[8x3x1x1]", file.tensor(key + "lora_B.weight").shape().toString());
      }
      if (adapter instanceof Dora) {
        Tensor norms = file.tensor(key + "lora_magnitude_vector");
        assertEquals("[1x8x1x1]", norms.shape().toString());
      }
    }
  }

  /** EVA's A are the principal components of the patches, which loops cut out here. */
  @Test
  void evaBeginsWithTheComponentsOfPatches() {
    UNet model = model();
    Tensor images = images();
    Eva eva = new Eva(new AdapterSettings(2, 0, 0, List.of("stem")), 1, 0.99, false, 1);
    Adapters.attach(model, eva, "a", data(model, images));
    Tensor found = Adapters.layers(model).get("stem").updates("a").get(0).a().value();
    assertEquals("[2x9]", found.shape().toString());
    double[] pixels = images.toDoubles();
    double[][] patches = new double[SIGMAS.length * 64][9];
    for (int i = 0; i < patches.length; i++) {
      double sigma = SIGMAS[i / 64];
      for (int k = 0; k < 9; k++) {
        int row = i % 64 / 8 + k / 3 - 1;
        int column = i % 8 + k % 3 - 1;
        if (row >= 0 && row < 8 && column >= 0 && column < 8) {
          patches[i][k] = pixels[i / 64 * 64 + row * 8 + column] / Math.sqrt(sigma * sigma + 0.25);
        }
      }
    }
    Tensor rows = Tensor.of(dev.jformer.testing.Close.flat(patches), patches.length, 9);
    Tensor centered = rows.sub(rows.mean(0, true));
    Tensor components =
        Operator.named("aten::linalg_svd").callAll(centered, false).get(2).narrow(0, 0, 2);
    Tensor cosines = components.to(DType.FLOAT32).mul(found).sum(1, false).abs();
    assertClose(new double[] {1, 1}, cosines, 1e-4, "cosines");
  }

  @Test
  void namesWhatDoesNotFit() {
    UNet model = model();
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> Adapters.attach(model, new Lora(new AdapterSettings(13)), "a", null))
            .getMessage();
    assertTrue(message.contains("downBlocks.0.residual.0.first [8, 72] has rank 8"), message);
    message =
        assertThrows(
                IllegalArgumentException.class, () -> Adapters.targets(model, List.of("frist")))
            .getMessage();
    assertTrue(message.contains("matches no linear layer or convolution"), message);
    assertTrue(message.contains("did you mean"), message);
  }
}
