package dev.jformer.model;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.config.Configs;
import dev.jformer.model.forecast.ForecastModel;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.nn.Parameter;
import dev.jformer.run.Recipe;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Configurations as version 0.1 wrote them still give the models they gave: parameters of the same
 * names and shapes, the same weights at a seed, the same output. {@code fingerprints.properties}
 * was written by that version.
 */
class FormerFilesTest {
  private static final String FOLDER = "former/";

  /** Names of all parameters and shapes as a hash; sums over weights and over an output. */
  record Fingerprint(String names, double weights, double output) {
    static Fingerprint of(Model.Config config) {
      Random.seed(1);
      try (Scope scope = Scope.open();
          Model model = config.build()) {
        StringBuilder names = new StringBuilder();
        List<Tensor> sums = new ArrayList<>();
        for (Map.Entry<String, Parameter> each : model.parameters().entrySet()) {
          Tensor value = each.getValue().value().detach();
          names.append(each.getKey()).append(value.shape()).append('\n');
          sums.add(weighted(value).mul(sums.size() + 1.0));
        }
        model.train(false);
        double weights = 0;
        for (Tensor sum : sums) {
          weights += sum.item();
        }
        double output = weighted(run(model)).item();
        return new Fingerprint(sha(names.toString()), weights, output);
      }
    }

    static Fingerprint parse(String line) {
      String[] words = line.split(" ", -1);
      return new Fingerprint(words[0], Double.parseDouble(words[1]), Double.parseDouble(words[2]));
    }

    @Override
    public String toString() {
      return names + " " + weights + " " + output;
    }
  }

  /** A sum in which each place has another weight. */
  private static Tensor weighted(Tensor x) {
    Tensor flat = x.to(DType.FLOAT32).flatten(0, x.rank() - 1);
    Tensor places = Tensor.arange(0, flat.elements()).to(DType.FLOAT32);
    return flat.mul(places.cos()).sum();
  }

  private static Tensor run(Model model) {
    if (model instanceof ForecastModel forecaster) {
      var config = forecaster.config();
      return forecaster.forecast(
          Tensor.rand(2, config.lookBack(), config.variates()),
          Tensor.rand(2, config.lookBack(), config.calendar()),
          Tensor.rand(2, config.horizon(), config.calendar()));
    }
    if (model instanceof ImageModel classifier) {
      int size = classifier.config().size();
      return classifier.logits(Tensor.rand(2, 3, size, size));
    }
    Tensor ids = Tensor.of(new long[] {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8}, 2, 6);
    if (model instanceof EncoderDecoder translator) {
      return translator.logits(ids, null, ids);
    }
    if (model instanceof Encoder encoder) {
      return encoder.pooled(ids, mask());
    }
    return model instanceof TokenClassifier tokens
        ? tokens.logits(ids, mask())
        : ((CausalLm) model).logits(ids);
  }

  /** Of two texts of six tokens the last two of the second are padding. */
  private static Tensor mask() {
    boolean[] real = new boolean[12];
    java.util.Arrays.fill(real, 0, 10, true);
    return Tensor.of(real, 2, 6);
  }

  private static String sha(String text) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String text(String name) {
    try (InputStream in = FormerFilesTest.class.getResourceAsStream(FOLDER + name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Properties expected() throws IOException {
    Properties lines = new Properties();
    try (InputStream in =
        FormerFilesTest.class.getResourceAsStream(FOLDER + "fingerprints.properties")) {
      lines.load(in);
    }
    return lines;
  }

  static Stream<String> files() throws IOException {
    return expected().stringPropertyNames().stream().sorted();
  }

  @ParameterizedTest
  @MethodSource("files")
  void formerFilesGiveTheSameModels(String file) throws IOException {
    Fingerprint expected = Fingerprint.parse(expected().getProperty(file));
    Model.Config config = Configs.parse(text(file + ".json"), Model.Config.class);
    Fingerprint now = Fingerprint.of(config);
    assertEquals(expected.names(), now.names(), "names and shapes of the parameters");
    assertEquals(expected.weights(), now.weights(), 1e-3, "weights at a seed");
    assertEquals(expected.output(), now.output(), 1e-3, "an output");
    assertEquals(config, Configs.parse(Configs.toJson(config), Model.Config.class));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "classify",
        "fine-tune",
        "forecast",
        "images",
        "java",
        "mlm",
        "poolformer",
        "shakespeare",
        "translate"
      })
  void formerRecipesAreRead(String name) {
    String json = text("recipes/" + name + ".json");
    Recipe recipe = Configs.parse(json, Recipe.class);
    assertContains(Configs.tree(json), Configs.write(recipe), name);
    assertEquals(recipe, Configs.parse(Configs.toJson(recipe), Recipe.class));
  }

  /** What a file says is said by what is written of it, too. */
  private static void assertContains(JsonNode part, JsonNode whole, String path) {
    if (part.isObject()) {
      part.properties()
          .forEach(
              e -> assertContains(e.getValue(), whole.path(e.getKey()), path + "." + e.getKey()));
    } else if (part.isNumber()) {
      assertEquals(part.doubleValue(), whole.doubleValue(), path);
    } else {
      assertEquals(part, whole, path);
    }
  }
}
