package dev.jformer.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.decode.Generator;
import dev.jformer.decode.Sampling;
import dev.jformer.io.SafetensorsFile;
import dev.jformer.io.gguf.GgufType;
import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tiny models of the decoder families, made by Python transformers; see
 * tools/fixtures/make_families.py. Texts are longer than windows and original contexts.
 */
@ExtendWith(Scoped.class)
class FamiliesTest {
  private static final Path MODELS = Path.of("src/test/resources/dev/jformer/hub/families");

  @TempDir Path folder;

  static List<String> names() throws IOException {
    try (Stream<Path> folders = Files.list(MODELS)) {
      return folders.map(path -> path.getFileName().toString()).sorted().toList();
    }
  }

  private static CausalLm load(Path path) throws IOException {
    return (CausalLm) Models.load(path);
  }

  private static SafetensorsFile expected(String name) throws IOException {
    return SafetensorsFile.open(MODELS.resolve(name).resolve("expected.safetensors"));
  }

  /** GGUF has no key for biases: its tensors say it. */
  @ParameterizedTest
  @ValueSource(strings = {"llama-bias", "llama-biases"})
  void biasesAreKeptInGguf(String name) throws IOException {
    Path file = folder.resolve("biases.gguf");
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad();
        CausalLm model = load(MODELS.resolve(name));
        SafetensorsFile expected = expected(name)) {
      Gguf.save(model, null, List.of(), GgufType.F32, file);
      try (CausalLm again = load(file)) {
        assertNear(
            expected.tensor("logits"), again.logits(expected.tensor("input_ids")), 1e-4, name);
      }
    }
    try (CausalLm model = load(MODELS.resolve("qwen3-bias"))) {
      String message =
          assertThrows(
                  ConfigException.class,
                  () -> Gguf.save(model, null, List.of(), GgufType.F32, file))
              .getMessage();
      assertTrue(message.contains("qwen3 has no biases"), message);
    }
  }

  private static void assertNear(Tensor expected, Tensor found, double tolerance, String what) {
    double worst = found.sub(expected).abs().max().item();
    assertTrue(worst < tolerance, what + " differ by " + worst);
  }

  @ParameterizedTest
  @MethodSource("names")
  void logitsAndGreedyTokensAreTransformers(String name) throws IOException {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad();
        CausalLm model = load(MODELS.resolve(name));
        SafetensorsFile expected = expected(name)) {
      Tensor given = expected.tensor("input_ids");
      Tensor logits = model.logits(given);
      assertNear(expected.tensor("logits"), logits, 1e-4, name + ": logits");
      Tensor some = Tensor.of(new long[] {79, 0, 41});
      assertNear(
          logits.flatten(0, 1).indexSelect(0, some),
          model.logitsAt(given, some),
          1e-5,
          name + ": logits of some positions");
      int[] all = expected.tensor("generated").toInts();
      int[] prompt = Arrays.copyOf(all, 6);
      List<Integer> generated =
          new Generator(model)
              .generate(
                  List.of(prompt),
                  new Generator.Request(all.length - prompt.length, Sampling.GREEDY),
                  ids -> "",
                  null)
              .get(0)
              .ids();
      assertEquals(Arrays.stream(all, prompt.length, all.length).boxed().toList(), generated);
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void cachedIsUncached(String name) throws IOException {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad();
        CausalLm model = load(MODELS.resolve(name));
        SafetensorsFile expected = expected(name);
        CausalLm.Decoding decoding = model.decode(2, 40)) {
      Tensor ids = expected.tensor("input_ids");
      Tensor first = decoding.all(ids.narrow(1, 0, 5));
      assertNear(model.logits(ids.narrow(1, 0, 5)), first, 3e-5, name + ": first logits");
      for (int t = 5; t < 40; t++) {
        Tensor whole = model.logits(ids.narrow(1, 0, t + 1));
        Tensor next = decoding.next(ids.narrow(1, t, 1));
        assertNear(whole.select(1, t), next, 3e-5, name + ": logits after " + t);
        if (t % 9 == 0) { // the last tokens are taken back and read again
          decoding.truncate(t - 3);
          Tensor again = decoding.all(ids.narrow(1, t - 3, 4)).select(1, 3);
          assertNear(whole.select(1, t), again, 3e-5, name + ": logits after going back from " + t);
        }
      }
    }
  }

  /** The windows of others would be kept in texts longer than the caches that the test needs. */
  @ParameterizedTest
  @CsvSource({"mistral", "gemma2", "gemma3", "qwen2"})
  void cachedIsUncachedFarBeyondTheWindow(String name) throws IOException {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.inference();
        CausalLm model = load(MODELS.resolve(name));
        CausalLm.Decoding decoding = model.decode(1, 400)) {
      Tensor ids = Tensor.randint(0, 48, 1, 400);
      Tensor whole = model.logits(ids);
      long[] sizes = {170, 1, 1, 130, 90, 1, 1, 6};
      for (long size : sizes) {
        long start = decoding.length();
        Tensor next = decoding.all(ids.narrow(1, start, size));
        assertNear(whole.narrow(1, start, size), next, 1e-4, name + ": logits from " + start);
      }
      assertEquals(400, decoding.length());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "llama3, llama",
    "llama-linear, llama",
    "llama-dynamic, llama",
    "llama-yarn, llama",
    "mistral, mistral",
    "qwen2, qwen2",
    "qwen2-full, qwen2",
    "qwen3, qwen3",
    "gemma2, gemma2",
    "gemma3, gemma3_text",
    "phi3, mistral",
    "phi3-longrope, phi3",
    "gpt-neox, gpt_neox",
    "gpt-neox-serial, gpt_neox",
    "opt, opt",
    "opt-post, opt",
    "llama-bias, llama",
    "llama-biases, llama",
    "qwen3-bias, qwen3"
  })
  void comesOutAgain(String name, String family) throws IOException {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad();
        CausalLm model = load(MODELS.resolve(name));
        SafetensorsFile expected = expected(name)) {
      HuggingFace.save(model, null, folder);
      assertEquals(family, config(folder).path("model_type").asText());
      try (CausalLm again = load(folder)) {
        Tensor ids = expected.tensor("input_ids");
        assertTrue(model.logits(ids).sameAs(again.logits(ids)));
      }
      if (!name.startsWith("phi3")) {
        assertSameWeights(name);
      }
    }
  }

  private void assertSameWeights(String name) throws IOException {
    try (SafetensorsFile saved = SafetensorsFile.open(folder.resolve("model.safetensors"));
        SafetensorsFile original =
            SafetensorsFile.open(MODELS.resolve(name).resolve("model.safetensors"))) {
      assertEquals(original.names(), saved.names());
      for (String tensor : saved.names()) {
        if (!tensor.endsWith("embed_positions.weight")) { // OPT's, with two rows that none reads
          assertTrue(saved.tensor(tensor).sameAs(original.tensor(tensor)), tensor);
        }
      }
    }
  }

  private static JsonNode config(Path model) throws IOException {
    return new JsonMapper().readTree(model.resolve("config.json").toFile());
  }

  private CausalLm.Config changed(String name, String... changes) throws IOException {
    ObjectNode config = (ObjectNode) config(MODELS.resolve(name));
    for (int i = 0; i < changes.length; i += 2) {
      if (changes[i + 1] == null) {
        config.remove(changes[i]);
      } else {
        config.set(changes[i], new JsonMapper().readTree(changes[i + 1].replace('\'', '"')));
      }
    }
    return (CausalLm.Config) HuggingFace.check(MODELS.resolve(name), config);
  }

  /** Before version 5 of transformers, and in the files that most people have. */
  @Test
  void olderConfigurationsMeanTheSame() throws IOException {
    assertEquals(
        changed("gemma3"),
        changed(
            "gemma3",
            "rope_parameters",
            null,
            "rope_theta",
            "1000",
            "rope_local_base_freq",
            "50",
            "rope_scaling",
            "{'rope_type':'linear','factor':8.0}"));
    assertEquals(
        changed("gemma3", "layer_types", null),
        changed("gemma3", "layer_types", null, "_sliding_window_pattern", null));
    assertEquals(changed("gemma2"), changed("gemma2", "layer_types", null, "attention_bias", null));
    assertEquals(changed("qwen2"), changed("qwen2", "layer_types", null));
    assertEquals(
        changed("gpt-neox"),
        changed(
            "gpt-neox", "rope_parameters", null, "rotary_pct", "0.25", "rotary_emb_base", "100"));
    assertEquals(
        changed("phi3-longrope"),
        changed(
            "phi3-longrope",
            "rope_parameters",
            null,
            "rope_theta",
            "100",
            "partial_rotary_factor",
            "0.75",
            "rope_scaling",
            "{'type':'su','short_factor':[1,1.1,1.3],'long_factor':[1,2.5,4]}"));
    assertEquals(
        changed("llama3"),
        changed(
            "llama3",
            "rope_parameters",
            null,
            "rope_theta",
            "100",
            "rope_scaling",
            "{'rope_type':'llama3','factor':8,'low_freq_factor':1,'high_freq_factor':4,"
                + "'original_max_position_embeddings':16}"));
    assertEquals(0, LlamaLike.attention(changed("mistral", "sliding_window", "null")).window());
    assertEquals(4096, LlamaLike.attention(changed("mistral", "sliding_window", null)).window());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "opt | activation_function | 'gelu' | activation_function is gelu",
        "gpt-neox | attention_bias | false | attention_bias is false",
        "gpt-neox | hidden_act | 'elu' | hidden_act is elu",
        "llama-biases | attention_bias | false | mlp_bias is true",
        "qwen2 | layer_types | ['full_attention'] | layer_types has 1 entries: expected 3",
        "gemma3 | layer_types | ['a','b','c','d'] | layer_types[0] is a, which is not supported",
        "gemma3 | use_bidirectional_attention | true | use_bidirectional_attention is true",
        "gemma2 | hidden_activation | 'silu' | hidden_activation is silu",
        "gemma2 | sliding_window | -1 | sliding_window is -1: expected 1 to",
        "gemma2 | final_logit_softcapping | -1 | final_logit_softcapping is -1: expected a number",
        "phi3 | partial_rotary_factor | 0.3 | rotated is 0.3, that is 1 of 4 channels",
        "phi3 | model_type | 'gemma3' | gemma2, gemma3_text, gpt2, gpt_neox, llama, mistral"
      })
  void refusesWhatItCannotExpress(String name, String field, String value, String message)
      throws IOException {
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(MODELS.resolve(name).resolve(file), folder.resolve(file));
    }
    ObjectNode config = (ObjectNode) config(folder);
    config.set(field, new JsonMapper().readTree(value.replace('\'', '"')));
    if (field.equals("partial_rotary_factor")) {
      config.remove("rope_parameters");
    }
    Files.writeString(folder.resolve("config.json"), config.toString());
    String found = assertThrows(ConfigException.class, () -> load(folder)).getMessage();
    assertTrue(found.contains(message), found);
  }
}
