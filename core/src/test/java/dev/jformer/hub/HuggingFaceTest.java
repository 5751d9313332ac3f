package dev.jformer.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.config.Configs;
import dev.jformer.data.DataException;
import dev.jformer.data.Tokenizer;
import dev.jformer.data.Tokenizers;
import dev.jformer.decode.Generator;
import dev.jformer.decode.Sampling;
import dev.jformer.io.FormatException;
import dev.jformer.io.SafetensorsFile;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Models made by Python transformers, with their logits and greedy continuations as computed there.
 */
class HuggingFaceTest {
  private static final Path MODELS = Path.of("src/test/resources/dev/jformer/io/hf");

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama", "llama-tied"})
  void logitsAndContinuationsAreTransformers(String name) throws IOException {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad();
        Model model = Models.load(MODELS.resolve(name));
        SafetensorsFile expected =
            SafetensorsFile.open(MODELS.resolve(name).resolve("expected.safetensors"))) {
      CausalLm lm = (CausalLm) model;
      Tensor logits = lm.logits(expected.tensor("input_ids"));
      double worst = logits.sub(expected.tensor("logits")).abs().max().item();
      assertTrue(worst < 1e-4, name + ": logits differ by " + worst);

      int[] prompt = expected.tensor("prompt").toInts();
      int[] generated = expected.tensor("generated").toInts();
      List<Integer> ours =
          new Generator(lm)
              .generate(
                  List.of(prompt),
                  new Generator.Request(generated.length - prompt.length, Sampling.GREEDY),
                  ids -> "",
                  null)
              .get(0)
              .ids();
      assertEquals(
          Arrays.stream(generated, prompt.length, generated.length).boxed().toList(), ours);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama", "llama-tied"})
  void savesWhatItLoadedToTheBit(String name) throws IOException {
    try (Scope scope = Scope.open();
        Model model = Models.load(MODELS.resolve(name))) {
      HuggingFace.save((CausalLm) model, folder);
      try (SafetensorsFile saved = SafetensorsFile.open(folder.resolve("model.safetensors"));
          dev.jformer.io.Weights original = dev.jformer.io.Weights.open(MODELS.resolve(name))) {
        for (String tensor : saved.names()) {
          assertTrue(saved.tensor(tensor).sameAs(original.tensor(tensor)), tensor);
        }
        assertEquals(original.names().size(), saved.names().size());
      }
      try (Model again = Models.load(folder)) {
        assertEquals(model.config(), again.config());
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama"})
  void tokenizesAsTransformersDoes(String name) throws IOException {
    JsonNode expected =
        new JsonMapper().readTree(MODELS.resolve(name).resolve("expected.json").toFile());
    Tokenizer tokenizer = Tokenizers.load(MODELS.resolve(name));
    int[] ids = tokenizer.encode(expected.path("text").asText());
    int[] wanted = new JsonMapper().convertValue(expected.path("ids"), int[].class);
    assertArrayEquals(wanted, ids);
    assertEquals(expected.path("text").asText(), tokenizer.decode(ids));
  }

  @Test
  void savesAModelOfOursAsLlamaAndLoadsItEqual() throws IOException {
    String json =
        "{'model':'causal-lm','layers':2,'width':24,'vocab':50,'length':16,'bias':false,"
            + "'position':{'type':'rope','base':500},'mixer':{'heads':4,'keyValueHeads':2},"
            + "'ffn':{'type':'gated-mlp'},'norm':{'type':'rms'},'tied':false}";
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Random.seed(3);
      CausalLm model =
          (CausalLm) Configs.parse(json.replace('\'', '"'), Model.Config.class).build();
      HuggingFace.save(model, folder);
      CausalLm again = (CausalLm) Models.load(folder);
      Tensor ids = Tensor.randint(0, 50, 2, 16);
      assertTrue(model.logits(ids).sameAs(again.logits(ids)));
    }
  }

  @Test
  void saysWhatItCannotExpress() throws IOException {
    expectConfig("llama", "rope_scaling", "{\"type\":\"linear\",\"factor\":2}", "rope_scaling");
    expectConfig("llama", "attention_bias", "true", "attention_bias is true");
    expectConfig("llama", "head_dim", "16", "head_dim is 16");
    expectConfig("llama", "hidden_act", "\"relu\"", "hidden_act is relu");
    expectConfig("gpt2", "activation_function", "\"tanh\"", "activation_function is tanh");
    expectConfig("gpt2", "scale_attn_by_inverse_layer_idx", "true", "is true");
    expectConfig("gpt2", "model_type", "\"bloom\"", "only gpt2, llama are");
    expectConfig("gpt2", "n_head", "5", "heads is 5");
    expectConfig("gpt2", "n_layer", "\"two\"", "n_layer is \"two\": expected an integer");
  }

  @Test
  void comparesSizesBeforeItSetsMemoryAside() throws IOException {
    expectFormat("gpt2", "n_embd", "16000000", "but the configuration makes it");
    expectFormat("gpt2", "vocab_size", "10000000", "but the configuration makes it");
    expectFormat("gpt2", "n_layer", "16000000", "layers");
    expectFormat("gpt2", "n_layer", "3", "is missing");
    expectFormat("gpt2", "n_layer", "1", "has no place");
    expectFormat("gpt2", "n_positions", "64", "positions");
    expectFormat("llama", "intermediate_size", "50", "but the configuration wants");
  }

  private void expectConfig(String model, String field, String value, String message)
      throws IOException {
    String found =
        assertThrows(ConfigException.class, () -> Models.load(changed(model, field, value)))
            .getMessage();
    assertTrue(found.contains(message) && !found.contains("\n"), found);
  }

  private void expectFormat(String model, String field, String value, String message)
      throws IOException {
    String found =
        assertThrows(FormatException.class, () -> Models.load(changed(model, field, value)))
            .getMessage();
    assertTrue(found.contains(message) && !found.contains("\n"), found);
  }

  private Path changed(String model, String field, String value) throws IOException {
    copy(model);
    JsonMapper json = new JsonMapper();
    ObjectNode config = (ObjectNode) json.readTree(folder.resolve("config.json").toFile());
    config.set(field, json.readTree(value));
    Files.writeString(folder.resolve("config.json"), config.toString());
    return folder;
  }

  private void copy(String model) throws IOException {
    try (Stream<Path> files = Files.list(MODELS.resolve(model))) {
      for (Path file : files.toList()) {
        Files.write(folder.resolve(file.getFileName()), Files.readAllBytes(file));
      }
    }
  }

  @Test
  void missingFilesAreNamed() throws IOException {
    assertThrows(NoSuchFileException.class, () -> Models.load(folder));
    copy("gpt2");
    Files.delete(folder.resolve("model.safetensors"));
    Exception e = assertThrows(Exception.class, () -> Models.load(folder));
    assertTrue(
        e.getMessage().contains("weights") || e.getMessage().contains("safetensors"), "" + e);
  }

  @Test
  void damagedConfigurationsNeverDoMoreThanFail() throws IOException {
    long seed = Long.getLong("jformer.test.seed", System.nanoTime());
    java.util.Random random = new java.util.Random(seed);
    for (String name : List.of("gpt2", "llama")) {
      copy(name);
      byte[] original = Files.readAllBytes(folder.resolve("config.json"));
      for (int i = 0; i < 500; i++) {
        byte[] bytes = original.clone();
        int changes = 1 + random.nextInt(4);
        for (int c = 0; c < changes; c++) {
          bytes[random.nextInt(bytes.length)] =
              (byte) "0123456789\"{}[],:-. abetrufsln\0".charAt(random.nextInt(31));
        }
        Files.write(folder.resolve("config.json"), bytes);
        try (Scope scope = Scope.open()) {
          Models.load(folder).close();
        } catch (ConfigException | FormatException | DataException expected) {
          assertTrue(
              expected.getMessage() != null && !expected.getMessage().contains("\n"),
              "seed " + seed + ": " + expected.getMessage());
        } catch (IOException e) {
          throw new AssertionError(
              "seed " + seed + ": " + new String(bytes, StandardCharsets.UTF_8), e);
        } catch (RuntimeException e) {
          throw new AssertionError(
              "seed " + seed + ": " + new String(bytes, StandardCharsets.UTF_8), e);
        }
      }
    }
  }
}
