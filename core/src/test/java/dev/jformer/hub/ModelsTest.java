package dev.jformer.hub;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.config.Configs;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.io.FormatException;
import dev.jformer.io.SafetensorsFile;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.Identity;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Projection;
import dev.jformer.position.Position;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Memory;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Models in our own layout. */
@ExtendWith(Scoped.class)
class ModelsTest {
  private static final String SMALL =
      "{'model':'causal-lm','layers':2,'width':16,'vocab':32,'length':16,'mixer':{'heads':2}}";

  @TempDir Path folder;

  private static CausalLm model(String json) {
    return (CausalLm) any(json);
  }

  private static Model any(String json) {
    return Configs.parse(json.replace('\'', '"'), Model.Config.class).build();
  }

  /** Parts that look at all tokens of a sequence stand in an encoder. */
  private static final List<String> BOTH_WAYS = List.of("linformer", "group", "token-reduction");

  /** Tokens may leave an encoder that is not asked to fill them in. */
  private static final String EMBEDDING = "'head':{'fillsIn':false},'layers'";

  /** Every part there is, in a model that otherwise has the defaults. */
  static Stream<String> parts() {
    return Stream.of(
            named("mixer", TokenMixer.Config.class),
            named("ffn", ChannelMixer.Config.class),
            named("position", Position.Config.class),
            named("norm", Norm.Config.class),
            named("projection", Projection.class))
        .flatMap(List::stream);
  }

  private static <P extends dev.jformer.config.Part> List<String> named(
      String field, Class<P> kind) {
    return Configs.parts(kind).keySet().stream()
        .map(
            type ->
                SMALL
                    .replace("causal-lm", BOTH_WAYS.contains(type) ? "encoder" : "causal-lm")
                    .replace("'layers'", type.equals("token-reduction") ? EMBEDDING : "'layers'")
                    .replace("'mixer':{'heads':2}", "'" + field + "':{'type':'" + type + "'}"))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("parts")
  void everyPartIsSavedAndLoadedToTheBit(String config) throws IOException {
    try (Model model = any(config)) {
      Models.save(model, folder);
      try (Model again = Models.load(folder)) {
        assertEquals(model.config(), again.config());
        assertFalse(again.isTraining());
        model
            .parameters()
            .forEach(
                (name, p) ->
                    assertTrue(p.value().sameAs(again.parameters().get(name).value()), name));
      }
    }
  }

  @Test
  void saysWhatAModelIsNot(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("rows.csv"), "a,b");
    FormatException csv = assertThrows(FormatException.class, () -> Models.load(file));
    assertEquals(
        file + " is no model: expected a model's folder, or a file that ends in .gguf or .onnx",
        csv.getMessage());
    NoSuchFileException empty = assertThrows(NoSuchFileException.class, () -> Models.load(folder));
    assertEquals(folder + " holds rows.csv", empty.getReason());
  }

  @Test
  void savingDrawsNoRandomNumbers() throws IOException {
    Model model = model(SMALL);
    Tensor before = Random.state();
    Models.save(model, folder);
    assertTrue(before.sameAs(Random.state())); // a run that saves goes on as one that does not
  }

  @Test
  void comparesSizesBeforeItSetsMemoryAside() {
    long peak =
        Memory.peakOf(
            () -> {
              String embedding = "embedding.weight is [32x16], but the configuration makes it ";
              expectFormat("vocab", "2147483647", embedding + "[2147483647x16]");
              expectFormat("length", "2147483647", "position.weight is [16x16], but the conf");
              expectFormat("width", "1000000", embedding + "[32x1000000]");
              expectFormat(
                  "ffn", "{'hidden':2147483647}", "blocks.0.ffn.up.weight is [64x16], but");
              expectFormat("ffn", "{'expand':1e8}", "blocks.0.ffn.up.weight is [64x16], but");
              expectFormat("layers", "3", "the tensor blocks.2.mixerNorm.weight is missing");
              expectFormat("layers", "1", "has no parameter for the tensor blocks.1.");
              expectFormat("tied", "false", "the tensor head.weight is missing");
              expectConfig("layers", "2147483647", "expected 1 to 10000");
              expectConfig("layers", "10000", "is its number of layers right?");
              expectConfig("width", "2147483647", "heads is 2");
              expectConfig("width", "2147483646", "is its number of layers right?");
              expectConfig("mixer", "{'heads':3}", "heads is 3");
            });
    assertTrue(peak < 200L << 20, "took " + (peak >> 20) + " MiB");
  }

  private void expectFormat(String field, String value, String message) {
    expect(FormatException.class, folder + ": ", field, value, message);
  }

  private void expectConfig(String field, String value, String message) {
    expect(ConfigException.class, folder.resolve("config.json") + ": ", field, value, message);
  }

  private void expect(
      Class<? extends Exception> kind, String start, String field, String value, String message) {
    String found =
        assertThrows(
                kind,
                () -> {
                  Models.save(model(SMALL), folder);
                  Path file = folder.resolve("config.json");
                  ObjectNode config = (ObjectNode) Configs.tree(Files.readString(file));
                  config.set(field, Configs.tree(value.replace('\'', '"')));
                  Files.writeString(file, config.toString());
                  Models.load(folder);
                })
            .getMessage();
    assertTrue(found.startsWith(start) && found.contains(message), found);
    assertFalse(found.contains("\n"), found);
  }

  @Test
  void damagedConfigurationsAreNamed() throws IOException {
    Models.save(model(SMALL), folder);
    Path file = folder.resolve("config.json");
    for (byte[] content :
        new byte[][] {
          "".getBytes(UTF_8),
          "{".getBytes(UTF_8),
          "[]".getBytes(UTF_8),
          "null".getBytes(UTF_8),
          "{\"model\":\"a\\nb\"}".getBytes(UTF_8),
          "{\"model_type\":\"a\\nb\"}".getBytes(UTF_8),
          "{\"model_type\":null}".getBytes(UTF_8),
          "{\"model\":\"causal-lm\",\"a\\nb\":1}".getBytes(UTF_8),
          {'{', (byte) 0xFF, '}'},
          new byte[17 << 20]
        }) {
      Files.write(file, content);
      String found = assertThrows(ConfigException.class, () -> Models.load(folder)).getMessage();
      assertTrue(found.startsWith(file + ": ") && !found.contains("\n"), found);
      assertTrue(found.length() < file.toString().length() + 400, found);
    }
  }

  /** Positions of sparse weights that fit by shape, but not by number, are found at loading. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{'type':'sparse'}",
        "{'type':'sparse','bits':8}",
        "{'type':'sparse','density':0.375,'keep':3,'of':8}",
        "{'type':'dsformer'}"
      })
  void damagedPositionsAreRefused(String projection) throws IOException {
    try (Scope scope = Scope.open()) {
      String json =
          "{'model':'causal-lm','layers':1,'width':32,'vocab':50,'length':8,'mixer':{'heads':2},"
              + "'projection':"
              + projection
              + "}";
      Model model = Configs.parse(json.replace('\'', '"'), Model.Config.class).build();
      Models.save(model, folder);
      Path file = folder.resolve("model.safetensors");
      Map<String, Tensor> tensors = new TreeMap<>();
      try (SafetensorsFile opened = SafetensorsFile.open(file)) {
        opened.names().forEach(name -> tensors.put(name, opened.tensor(name).copy()));
      }
      String damaged =
          tensors.keySet().stream()
              .filter(name -> name.matches(".*ffn.*(mask|patterns|indices)"))
              .findFirst()
              .orElseThrow();
      tensors.put(damaged, Tensor.full(255, DType.UINT8, tensors.get(damaged).elements()));
      SafetensorsFile.write(file, tensors, Map.of());
      String found = assertThrows(FormatException.class, () -> Models.load(folder)).getMessage();
      assertTrue(found.startsWith(folder + ": blocks.0."), found);
      assertTrue(found.contains("damaged"), found);
    }
  }

  @Test
  void weightsMustBeOfTheRightTypes() throws IOException {
    Models.save(model(SMALL), folder);
    Path file = folder.resolve("model.safetensors");
    Map<String, Tensor> tensors = new TreeMap<>();
    try (SafetensorsFile opened = SafetensorsFile.open(file)) {
      opened.names().forEach(name -> tensors.put(name, opened.tensor(name).copy()));
    }
    Tensor right = tensors.get("norm.bias");
    for (DType type : List.of(DType.INT8, DType.INT64, DType.BOOL)) {
      tensors.put("norm.bias", right.to(type));
      SafetensorsFile.write(file, tensors, Map.of());
      String found = assertThrows(FormatException.class, () -> Models.load(folder)).getMessage();
      assertEquals(
          folder
              + ": the tensor norm.bias is of type "
              + type.name().toLowerCase(java.util.Locale.ROOT)
              + ", but the configuration makes it floating-point",
          found);
    }
    tensors.put("norm.bias", right);
    tensors.put("a\nb", right);
    SafetensorsFile.write(file, tensors, Map.of());
    String found = assertThrows(FormatException.class, () -> Models.load(folder)).getMessage();
    assertTrue(found.endsWith("no parameter for the tensor a?b"), found);
  }

  @Test
  void savesNoModelThatCouldNotBeLoaded() throws IOException {
    Models.save(model(SMALL), folder);
    byte[] before = Files.readAllBytes(folder.resolve("model.safetensors"));
    for (String name : List.of("blocks.0.ffn.up", "norm", "blocks.1.mixer.qkv")) {
      CausalLm model = model(SMALL);
      model.replace(name, new Identity());
      expectRefusal(model, "the parameter " + name + ".weight should be [");
    }
    CausalLm larger = model(SMALL);
    larger.parameters().get("norm.bias").replace(Tensor.ones(17));
    expectRefusal(larger, "the parameter norm.bias should be [16] and is [17]");
    CausalLm more = model(SMALL.replace("'length'", "'norm':{'bias':false},'length'"));
    more.replace("norm", new Norm.LayerNormConfig().build(16));
    expectRefusal(more, "has no parameter norm.bias");
    assertEquals(
        -1,
        java.util.Arrays.mismatch(before, Files.readAllBytes(folder.resolve("model.safetensors"))));
  }

  private void expectRefusal(Model model, String message) {
    String found =
        assertThrows(ConfigException.class, () -> Models.save(model, folder)).getMessage();
    assertTrue(found.contains(message) && !found.contains("\n"), found);
  }

  @Test
  void loadingInVainKeepsNoMemory() throws IOException {
    // A tensor too many: known only after the others were compared.
    try (Model model =
        model("{'model':'causal-lm','layers':1,'width':256,'vocab':20000,'length':16}")) {
      Map<String, Tensor> tensors = new TreeMap<>();
      model.parameters().forEach((name, p) -> tensors.put(name, p.value().detach()));
      Models.save(model, folder);
      tensors.put("z", Tensor.ones(1));
      SafetensorsFile.write(folder.resolve("model.safetensors"), tensors, Map.of());
    }
    assertThrows(FormatException.class, () -> Models.load(folder));
    long before = Memory.resident();
    for (int i = 0; i < 20; i++) { // of 20 MB each
      assertThrows(FormatException.class, () -> Models.load(folder));
    }
    long grown = Memory.resident() - before;
    assertTrue(grown < 100L << 20, "grew by " + (grown >> 20) + " MiB");
  }

  /** Two models of equal shapes; nothing but their configurations tells them apart. */
  private static CausalLm one(int heads) {
    CausalLm model = model(SMALL.replace("'heads':2", "'heads':" + heads));
    try (Scope scope = Scope.open()) {
      model
          .parameters()
          .values()
          .forEach(p -> p.copyFrom(Tensor.full(heads, DType.FLOAT32, p.value().shape().toArray())));
    }
    return model;
  }

  @Test
  void aKilledSaveNeverLeavesOneModelsConfigurationWithAnothersWeights() throws Exception {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    java.util.Random random = new java.util.Random(Scoped.seed());
    for (int round = 0; round < 4; round++) {
      ProcessBuilder builder =
          new ProcessBuilder(java, "-Xmx256m", Saving.class.getName(), folder.toString());
      builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
      builder.redirectError(ProcessBuilder.Redirect.INHERIT);
      Process process = builder.start();
      try {
        assertEquals('s', process.getInputStream().read(), "the process saves");
        Thread.sleep(random.nextInt(300));
      } finally {
        process.destroyForcibly();
      }
      assertTrue(process.waitFor(1, TimeUnit.MINUTES));
      try (Model found = Models.load(folder)) {
        double value = found.parameters().get("norm.bias").value().max().item();
        assertEquals(((CausalLm) found).config().mixer().heads(), value);
      } catch (FormatException | IOException e) {
        assertTrue(e.getMessage().contains("holds no weights"), e.getMessage());
      }
    }
  }

  /** Two models are saved in turn; each has weights that are the number of its heads. */
  @Test
  void readersThatRaceAWriterSeeOneModel() throws Exception {
    CausalLm[] models = {one(2), one(4)};
    Models.save(models[0], folder);
    AtomicReference<Exception> failure = new AtomicReference<>();
    AtomicBoolean ended = new AtomicBoolean();
    Thread writer =
        new Thread(
            () -> {
              for (int i = 1; !ended.get(); i++) {
                try {
                  Models.save(models[i % 2], folder);
                  Thread.sleep(20);
                } catch (IOException | InterruptedException e) {
                  failure.set(e);
                }
              }
            });
    writer.start();
    try {
      for (int i = 0; i < 60; i++) {
        try (Model read = Models.load(folder)) {
          double value = read.parameters().get("norm.bias").value().max().item();
          assertEquals(((CausalLm) read).config().mixer().heads(), value);
        }
      }
    } finally {
      ended.set(true);
      writer.join();
    }
    assertNull(failure.get());
  }

  /** Saves two models in turn until it is killed. */
  static final class Saving {
    private Saving() {}

    public static void main(String[] args) throws IOException {
      Path folder = Path.of(args[0]);
      CausalLm[] models = {one(2), one(4)};
      Models.save(models[0], folder);
      System.out.write('s');
      System.out.flush();
      for (int i = 1; ; i++) {
        Models.save(models[i % 2], folder);
      }
    }
  }
}
