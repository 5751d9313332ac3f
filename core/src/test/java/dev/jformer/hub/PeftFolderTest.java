package dev.jformer.hub;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.adapt.AdaptationData;
import dev.jformer.adapt.AdapterSettings;
import dev.jformer.adapt.Adapters;
import dev.jformer.adapt.Dora;
import dev.jformer.adapt.Eva;
import dev.jformer.adapt.Lora;
import dev.jformer.adapt.LowRankUpdate;
import dev.jformer.adapt.Pissa;
import dev.jformer.adapt.RsLora;
import dev.jformer.compress.quantize.WeightInt8;
import dev.jformer.config.ConfigException;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.decode.Sampling;
import dev.jformer.io.FormatException;
import dev.jformer.io.SafetensorsFile;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.nn.Module;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Compares with values of Python's peft; see tools/fixtures/make_peft.py. */
@ExtendWith(Scoped.class)
class PeftFolderTest {
  @TempDir private Path temporary;

  static Path fixture(String name) {
    try {
      return Path.of(PeftFolderTest.class.getResource("peft/" + name).toURI());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Tensor expected(String name) throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(fixture("logits.safetensors"))) {
      return file.tensor(name).copy();
    }
  }

  private static Tensor outputs(Model model) throws IOException {
    try (Mode mode = Autograd.noGrad()) {
      Tensor ids = expected("ids");
      return model instanceof CausalLm lm ? lm.logits(ids) : ((Encoder) model).hidden(ids, null);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama-lora", "llama-rslora", "llama-dora", "gpt2-lora", "bert-lora"})
  void computesWhatPeftDoes(String name) throws IOException {
    Tensor expected = expected(name);
    Path folder = fixture(name);
    try (Model merged = Models.load(folder)) {
      assertEquals(Map.of(), Adapters.layers(merged));
      assertClose(expected, outputs(merged), 1e-4);
    }
    Path base = fixture(name.substring(0, name.indexOf('-')));
    try (Model beside = Models.load(base)) {
      Tensor bare = outputs(beside);
      PeftFolder.attach(beside, folder, "theirs");
      assertClose(expected, outputs(beside), 1e-4);
      Adapters.use(beside, null);
      assertClose(bare, outputs(beside), 1e-6);
      Adapters.use(beside, "theirs");

      Path saved = Files.createDirectory(temporary.resolve(name));
      PeftFolder.save(beside, "theirs", null, BaseModel.of(base, beside.config()), saved);
      assertTrue(PeftFolder.exists(saved));
      try (Model again = Models.load(saved)) {
        assertClose(expected, outputs(again), 1e-4);
      }
      assertEquals(tensors(folder), tensors(saved), "the tensors' names and shapes are theirs");
    }
  }

  private static Map<String, String> tensors(Path folder) throws IOException {
    Map<String, String> shapes = new LinkedHashMap<>();
    try (SafetensorsFile file = SafetensorsFile.open(folder.resolve("adapter_model.safetensors"))) {
      file.names().stream().sorted().forEach(n -> shapes.put(n, file.shape(n).toString()));
    }
    return shapes;
  }

  @Test
  void findsTheRanksAndComponentsThatPeftsEvaFinds() throws IOException {
    try (SafetensorsFile file = SafetensorsFile.open(fixture("eva.safetensors"));
        Model model = Models.load(fixture("llama"))) {
      Tensor batches = file.tensor("batches");
      AdaptationData data =
          new AdaptationData() {
            @Override
            public void run(long index) {
              ((CausalLm) model).logits(batches.select(0, index % batches.size(0)));
            }

            @Override
            public Module model() {
              return model;
            }
          };
      AdapterSettings settings = new AdapterSettings(4, 4, 0, List.of());
      Adapters.attach(model, new Eva(settings), "eva", data);
      Path saved = Files.createDirectory(temporary.resolve("eva"));
      PeftFolder.save(model, "eva", new Eva(settings), null, saved);
      try (SafetensorsFile ours =
          SafetensorsFile.open(saved.resolve("adapter_model.safetensors"))) {
        int compared = 0;
        for (String name : file.names()) {
          if (name.startsWith("eva.")) {
            String module = name.substring("eva.".length());
            Tensor theirs = file.tensor(name);
            Tensor own = ours.tensor("base_model.model." + module + ".lora_A.weight");
            assertEquals(theirs.shape(), own.shape(), module);
            Tensor cosines = theirs.mul(own).sum(1, false).abs();
            assertTrue(cosines.gt(0.999).all(), module + " " + cosines);
            compared++;
          }
        }
        assertEquals(14, compared);
      }
      JsonNode config = json(saved);
      assertEquals("eva", config.get("init_lora_weights").asText());
      assertFalse(config.get("rank_pattern").isEmpty());
      double[] scales =
          Adapters.layers(model).values().stream()
              .flatMap(layer -> layer.updates("eva").stream())
              .mapToDouble(LowRankUpdate::scale)
              .distinct()
              .toArray();
      assertEquals(1, scales.length, "alpha follows the rank");
    }
  }

  private static JsonNode json(Path folder) throws IOException {
    return new JsonMapper().readTree(folder.resolve("adapter_config.json").toFile());
  }

  /** Each kind is saved and read again, also beside a base of few bits. */
  @Test
  void readsWhatItWrites() throws IOException {
    AdapterSettings settings = new AdapterSettings(3, 5, 0.1, List.of("qkv.0", "qkv.2", "down"));
    for (var adapter :
        List.of(
            new Lora(settings), new RsLora(settings), new Dora(settings), new Pissa(settings))) {
      try (CausalLm model = (CausalLm) Models.load(fixture("llama"))) {
        Adapters.attach(model, adapter, "a-1", null);
        model
            .trained()
            .forEach(
                p -> p.copyFrom(p.value().add(Tensor.randn(p.value().shape().toArray()).mul(0.1))));
        model.train(false);
        Path saved = Files.createDirectory(temporary.resolve(adapter.type()));
        BaseModel base = BaseModel.of(fixture("llama"), model.config());
        PeftFolder.save(model, "a-1", adapter, base, saved);
        try (Model again = Models.load(saved)) {
          assertClose(outputs(model), outputs(again), 1e-4);
        }
        assertEquals(0.1, json(saved).get("lora_dropout").asDouble());
        assertEquals(adapter instanceof RsLora, json(saved).get("use_rslora").asBoolean());
      }
    }
    try (Model few = new WeightInt8().apply(Models.load(fixture("llama")), null)) {
      Path base = Files.createDirectory(temporary.resolve("few"));
      Models.save(few, base);
      PeftFolder.attach(few, fixture("llama-lora"), "q");
      Path saved = Files.createDirectory(temporary.resolve("few-lora"));
      PeftFolder.save(few, "q", null, BaseModel.of(base, few.config()), saved);
      try (Model again = Models.load(saved)) {
        assertEquals(Adapters.layers(few).keySet(), Adapters.layers(again).keySet());
        assertClose(outputs(few), outputs(again), 1e-6);
        assertThrows(ConfigException.class, () -> Models.save(again, temporary.resolve("whole")));
      }
    }
  }

  private Path copy(String name) throws IOException {
    Path to = Files.createDirectory(temporary.resolve("copy-" + name + System.nanoTime()));
    try (Stream<Path> files = Files.list(fixture(name))) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName().toString()));
      }
    }
    return to;
  }

  private String error(String name, String base, Consumer<ObjectNode> change) throws IOException {
    Path folder = copy(name);
    ObjectNode config = (ObjectNode) json(folder);
    config.put("base_model_name_or_path", fixture(base).toString());
    change.accept(config);
    Files.writeString(folder.resolve("adapter_config.json"), config.toString());
    return assertThrows(RuntimeException.class, () -> Models.load(folder).close()).getMessage();
  }

  /** Python's peft saves no template and no settings. */
  @Test
  void itIsUsedAsItsModelIs() throws IOException {
    Path base = Files.createDirectory(temporary.resolve("llama"));
    Path adapter = Files.createDirectory(temporary.resolve("adapter"));
    for (String file : List.of("adapter_config.json", "adapter_model.safetensors")) {
      Files.copy(fixture("llama-lora").resolve(file), adapter.resolve(file));
    }
    Files.copy(fixture("llama").resolve("config.json"), base.resolve("config.json"));
    Files.writeString(base.resolve("chat_template.jinja"), "{{ messages[0].content }}!");
    Files.writeString(
        base.resolve("generation_config.json"),
        "{\"eos_token_id\": [3, 5], \"do_sample\": true, \"temperature\": 0.25}");
    List<ChatMessage> talk = List.of(ChatMessage.user("Hi"));
    assertEquals("Hi!", ChatTemplate.of(adapter).orElseThrow().render(talk, false));
    assertEquals(Set.of(3, 5), StopTokens.of(adapter, new ByteTokenizer()));
    assertEquals(0.25, GenerationSettings.of(adapter, Sampling.GREEDY).temperature());
    Files.writeString(adapter.resolve("generation_config.json"), "{\"eos_token_id\": 7}");
    assertEquals(Set.of(7), StopTokens.of(adapter, new ByteTokenizer()), "its own come first");
  }

  @Test
  void adaptersOfEachOtherAreRefused() throws IOException {
    for (String[] names : new String[][] {{"one", "two"}, {"two", "one"}}) {
      Path folder = Files.createDirectory(temporary.resolve(names[0]));
      ObjectNode config =
          (ObjectNode)
              new JsonMapper()
                  .readTree(fixture("llama-lora").resolve("adapter_config.json").toFile());
      config.put("base_model_name_or_path", temporary.resolve(names[1]).toString());
      Files.writeString(folder.resolve("adapter_config.json"), config.toString());
    }
    Path one = temporary.resolve("one");
    for (Executable use :
        List.<Executable>of(
            () -> Models.load(one), () -> Tokenizers.load(one), () -> ChatTemplate.of(one))) {
      String message = assertThrows(FormatException.class, use).getMessage();
      assertTrue(message.contains("an adapter whose model is an adapter again"), message);
    }
  }

  @Test
  void errorsSayWhatDoesNotFit() throws IOException {
    Map<String, String> messages = new LinkedHashMap<>();
    messages.put(error("llama-lora", "gpt2", c -> {}), "which the model does not have");
    messages.put(error("llama-lora", "llama", c -> c.put("peft_type", "IA3")), "only LORA is");
    messages.put(error("llama-lora", "llama", c -> c.put("bias", "all")), "bias is all");
    messages.put(error("llama-lora", "llama", c -> c.put("r", 4)), "has rank 3");
    messages.put(error("llama-lora", "llama", c -> c.put("use_dora", true)), "is missing");
    messages.put(error("llama-dora", "llama", c -> c.put("use_dora", false)), "magnitude_vector");
    messages.put(
        error("llama-lora", "llama", c -> c.put("init_lora_weights", "pissa")),
        "path_initial_model_for_weight_conversion");
    messages.put(
        error("llama-lora", "llama", c -> c.put("base_model_name_or_path", "org/none")),
        "org/none");
    messages.put(
        error("llama-lora", "llama", c -> c.putArray("layer_replication").add(1)),
        "layer_replication is [1]");
    messages.forEach((message, part) -> assertTrue(message.contains(part), message));
  }

  @Test
  void noticesThatTheBaseHasChanged() throws IOException {
    Path base = copy("llama");
    Path saved = Files.createDirectory(temporary.resolve("adapter"));
    try (Model model = Models.load(base)) {
      Adapters.attach(model, new Lora(new AdapterSettings(2)), "a", null);
      PeftFolder.save(model, "a", null, BaseModel.of(base, model.config()), saved);
      Models.load(saved).close();
      Adapters.detach(model);
      model.parameters().get("blocks.1.ffn.down.weight").value().detach().mul_(1.5);
      HuggingFace.save((CausalLm) model, null, base);
    }
    String message = assertThrows(ConfigException.class, () -> Models.load(saved)).getMessage();
    assertTrue(message.contains("another model"), message);
  }
}
