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
import dev.jformer.data.tokenizer.BpeTrainer;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.decode.Generator;
import dev.jformer.decode.Sampling;
import dev.jformer.io.FormatException;
import dev.jformer.io.SafetensorsFile;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.Identity;
import dev.jformer.position.Rope;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Memory;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Models made by Python transformers, with their logits and greedy continuations as computed there.
 */
@ExtendWith(Scoped.class)
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

  /** A model of ours, saved by us, which transformers then loaded: see tools/fixtures. */
  @Test
  void transformersComputesTheSameWithWhatWeSaved() throws IOException {
    Path saved = MODELS.resolve("saved-gpt2");
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad();
        Model model = Models.load(saved);
        SafetensorsFile expected = SafetensorsFile.open(saved.resolve("expected.safetensors"))) {
      Tensor logits = ((CausalLm) model).logits(expected.tensor("input_ids"));
      double worst = logits.sub(expected.tensor("logits")).abs().max().item();
      assertTrue(worst < 1e-4, "logits differ by " + worst);
      // What is saved today is what was shown to transformers, to the byte.
      HuggingFace.save((CausalLm) model, Tokenizers.load(saved), folder);
      for (String name : List.of("config.json", "model.safetensors", "tokenizer.json")) {
        assertEquals(-1, Files.mismatch(saved.resolve(name), folder.resolve(name)), name);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"gpt2", "llama", "llama-tied"})
  void savesWhatItLoadedToTheBit(String name) throws IOException {
    try (Scope scope = Scope.open();
        Model model = Models.load(MODELS.resolve(name))) {
      HuggingFace.save((CausalLm) model, null, folder);
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

  private static final String LLAMA =
      "{'layers':2,'width':24,'vocab':50,'length':16,'bias':false,"
          + "'position':{'type':'rope','base':500},'mixer':{'heads':4,'keyValueHeads':2},"
          + "'ffn':{'type':'gated-mlp'},'norm':{'type':'rms'},'tied':false}";

  private static CausalLm model(String json) {
    Random.seed(3);
    ObjectNode config = (ObjectNode) Configs.tree(json.replace('\'', '"'));
    return (CausalLm) Configs.bind(config.put("model", "causal-lm"), Model.Config.class).build();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        LLAMA,
        "{'layers':2,'width':24,'vocab':50,'length':16,'tied':false}", // a GPT-2, untied
        "{'layers':1,'width':10,'vocab':50,'length':16,'mixer':{'heads':2},'ffn':{'expand':2.12}}"
      })
  void savesAModelOfOursAndLoadsItEqual(String config) throws IOException {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      CausalLm model = model(config);
      HuggingFace.save(model, null, folder);
      CausalLm again = (CausalLm) Models.load(folder);
      assertEquals(model.config().tied(), again.config().tied());
      Tensor ids = Tensor.randint(0, 50, 2, 16);
      assertTrue(model.logits(ids).sameAs(again.logits(ids)));
    }
  }

  private JsonNode savedConfig() throws IOException {
    return new JsonMapper().readTree(folder.resolve("config.json").toFile());
  }

  @Test
  void theTokenizerSaysWhatBeginsAndEndsAText() throws IOException {
    BpeTrainer trainer = new BpeTrainer();
    trainer.piece("banana bandana");
    Tokenizer subwords = trainer.train(260, count -> {});
    assertEquals(0, subwords.endOfText().getAsInt());
    CausalLm model = model("{'layers':1,'width':8,'vocab':300,'length':8,'mixer':{'heads':2}}");
    HuggingFace.save(model, subwords, folder);
    assertEquals(0, savedConfig().get("bos_token_id").asInt(-1));
    assertEquals(0, savedConfig().get("eos_token_id").asInt(-1));
    assertArrayEquals(subwords.encode("a banana"), Tokenizers.load(folder).encode("a banana"));

    HuggingFace.save(model, new ByteTokenizer(), folder); // bytes have no end of text
    assertTrue(savedConfig().get("bos_token_id").isNull());
    assertTrue(savedConfig().get("eos_token_id").isNull());
    assertEquals(256, Tokenizers.load(folder).vocabularySize());

    HuggingFace.save(model, null, folder);
    assertTrue(savedConfig().get("eos_token_id").isNull());
    expectRefusal(
        "the tokenizer has 260 ids, but the model's vocabulary has 100",
        () ->
            HuggingFace.save(
                model("{'layers':1,'width':8,'vocab':100,'length':8,'mixer':{'heads':2}}"),
                subwords,
                folder));
  }

  private JsonNode saved(String name) throws IOException {
    return new JsonMapper().readTree(folder.resolve(name).toFile());
  }

  /** Without them transformers takes its own class, which adds tokens that the model lacks. */
  @Test
  void writesWhatTransformersNeedsBesideTheModel() throws IOException {
    CausalLm model = model("{'layers':1,'width':8,'vocab':300,'length':8,'mixer':{'heads':2}}");
    BpeTrainer trainer = new BpeTrainer();
    trainer.piece("banana bandana");
    Tokenizer subwords = trainer.train(260, count -> {});
    HuggingFace.save(model, subwords, folder);
    JsonNode settings = saved("tokenizer_config.json");
    assertEquals("PreTrainedTokenizerFast", settings.path("tokenizer_class").asText());
    assertEquals(8, settings.path("model_max_length").asInt());
    assertEquals(
        "[\"input_ids\",\"attention_mask\"]", settings.path("model_input_names").toString());
    for (String field : List.of("bos_token", "eos_token", "pad_token")) {
      assertEquals("<|endoftext|>", settings.path(field).asText(), field);
    }
    assertEquals(0, saved("generation_config.json").path("eos_token_id").asInt(-1));

    HuggingFace.save(model, subwords, List.of(5, 7), folder);
    assertEquals("[5,7]", saved("generation_config.json").path("eos_token_id").toString());
    assertEquals("[5,7]", savedConfig().path("eos_token_id").toString());
    assertEquals(5, savedConfig().path("bos_token_id").asInt());
    assertEquals(java.util.Set.of(5, 7), StopTokens.of(folder, subwords));

    HuggingFace.save(model, new ByteTokenizer(), folder);
    assertTrue(saved("tokenizer_config.json").path("eos_token").isMissingNode());
    assertTrue(saved("generation_config.json").path("eos_token_id").isNull());
  }

  @Test
  void saysWhyAModelHasNoPlaceInAFamily() {
    expectRefusal("does not match its configuration", () -> save(LLAMA, "blocks.1.mixer.qkv"));
    expectRefusal("blocks.0.ffn.up.weight", () -> save("{'layers':1}", "blocks.0.ffn.up"));
    expectRefusal(
        "GPT-2, whose placement is pre: its own is post", () -> save("{'placement':'post'}", null));
    expectRefusal(
        "Llama, which has a gated MLP",
        () -> save("{'position':{'type':'rope'},'norm':{'type':'rms'}}", null));
    expectRefusal(
        "Llama, whose mixer.outBias is false: its own is true",
        () -> save(LLAMA.replace("'heads':4", "'heads':4,'outBias':true"), null));
    expectRefusal(
        "Llama, whose mixer.logitCap is 0.0: its own is 7.0",
        () -> save(LLAMA.replace("'heads':4", "'heads':4,'logitCap':7"), null));
    expectRefusal(
        "GPT-2, which has the activations gelu, gelu_new, gelu_pytorch_tanh, relu, silu: it has"
            + " TANH",
        () -> save("{'ffn':{'activation':'tanh'}}", null));
  }

  private void save(String config, String replaced) throws IOException {
    CausalLm model = model(config);
    if (replaced != null) {
      model.replace(replaced, new Identity());
    }
    HuggingFace.save(model, null, folder);
  }

  private static void expectRefusal(String message, Executable action) {
    String found = assertThrows(ConfigException.class, action).getMessage();
    assertTrue(found.contains(message) && !found.contains("\n"), found);
  }

  @Test
  void saysWhatItCannotExpress() throws IOException {
    expectConfig("llama", "rope_scaling", "{'type':'linear'}", "rope_scaling.factor is null");
    expectConfig(
        "llama", "rope_scaling", "{'rope_type':'yarn','factor':0.5}", "factor is 0.5: exp");
    expectConfig("llama", "rope_scaling", "{'rope_type':'proportional'}", "is proportional");
    expectConfig(
        "llama",
        "rope_scaling",
        "{'rope_type':'longrope','short_factor':[1,2],'long_factor':[1]}",
        "shortFactors is 2 numbers: expected 4");
    expectConfig(
        "llama",
        "rope_scaling",
        "{'rope_type':'longrope','short_factor':[1,-2],'long_factor':[1]}",
        "rope_scaling.short_factor is -2: expected numbers above 0");
    expectConfig("llama", "rope_parameters", "3", "rope_parameters is 3: expected an object");
    expectConfig("llama", "rope_parameters", "{'rope_type':'llama3'}", "parameters.factor is null");
    expectConfig("llama", "rope_parameters", "{'factor':2}", "rope_parameters.factor is set");
    expectConfig("llama", "rope_parameters", "{'rope_theta':'x'}", "expected a number");
    expectConfig("llama", "partial_rotary_factor", "0.5", "partial_rotary_factor is 0.5");
    expectConfig("llama", "mlp_bias", "true", "mlp_bias is true");
    expectConfig("llama", "hidden_act", "'relu'", "hidden_act is relu");
    expectConfig("llama", "hidden_act", "[1]", "hidden_act is [1]: expected a string");
    expectConfig("llama", "rms_norm_eps", "1e999", "expected a number");
    expectConfig("llama", "rope_theta", "0", "rope_theta is 0: expected a number above 0");
    expectConfig("gpt2", "layer_norm_epsilon", "-2", "epsilon is -2: expected a number above 0");
    expectConfig("gpt2", "activation_function", "'tanh'", "activation_function is tanh");
    expectConfig("gpt2", "scale_attn_by_inverse_layer_idx", "true", "is true");
    expectConfig("gpt2", "model_type", "'bloom'", "only bert, deit, distilbert, gemma2, ");
    expectConfig("gpt2", "n_head", "5", "heads is 5: expected a divisor of the width 32");
    expectFormat("llama", "head_dim", "16", "q_proj.weight is [32x32], but the conf");
    expectConfig("gpt2", "n_layer", "'two'", "n_layer is \"two\": expected an integer");
    for (String field : List.of("model_type", "activation_function")) {
      expectConfig("gpt2", field, "'a\\nb\\u2028" + "c".repeat(500) + "'", "is ");
    }
    expectConfig("llama", "hidden_act", "'a\\r\\nb'", "hidden_act is a??b");
  }

  @Test
  void knowsTheOrdinaryKindOfRotaryPositions() throws IOException {
    for (String[] fields :
        new String[][] {
          {"rope_scaling", "{'type':'default'}"},
          {"rope_scaling", "{'rope_type':'default'}"},
          {"rope_scaling", "null"},
          {"rope_parameters", "{'rope_type':'default','rope_theta':10000.0}"},
          {"rope_parameters", "null"}
        }) {
      try (Model model = Models.load(changed("llama", fields[0], fields[1]))) {
        assertEquals(new Rope.Config(10_000), ((CausalLm) model).config().position());
      }
    }
    Path other = changed("llama", "rope_parameters", "{'rope_theta':500}");
    try (Model model = Models.load(other)) {
      assertEquals(new Rope.Config(500), ((CausalLm) model).config().position());
    }
  }

  @Test
  void comparesSizesBeforeItSetsMemoryAside() throws IOException {
    long peak =
        Memory.peakOf(
            () -> {
              expectFormat("gpt2", "n_embd", "16000000", "wte.weight is [96x32], but the conf");
              expectFormat("gpt2", "vocab_size", "10000000", "makes it [10000000x32]");
              expectFormat("gpt2", "n_positions", "10000000", "wpe.weight is [32x32]");
              expectFormat("gpt2", "n_inner", "10000000", "0.mlp.c_fc.weight is [32x64], but the");
              expectFormat("llama", "intermediate_size", "10000000", "0.mlp.gate_proj.weight is [");
              expectFormat("llama", "vocab_size", "10000000", "embed_tokens.weight is [96x32]");
              expectFormat("llama", "num_key_value_heads", "4", "0.self_attn.k_proj.weight is [16");
              expectFormat("llama", "intermediate_size", "50", "but the configuration makes it");
              expectFormat("gpt2", "n_layer", "3", "h.2.ln_1.weight is missing");
              expectFormat("gpt2", "n_layer", "1", "has no parameter");
              expectFormat("gpt2", "tie_word_embeddings", "false", "lm_head.weight is missing");
              expectConfig("gpt2", "n_layer", "16000000", "expected 1 to 10000");
            });
    assertTrue(peak < 200L << 20, "took " + (peak >> 20) + " MiB");
  }

  @Test
  void weightsMustBeOfTheRightTypesAndShapesEachForItself() throws IOException {
    String query = "model.layers.0.self_attn.q_proj.weight";
    String up = "model.layers.1.mlp.up_proj.weight";
    for (String name : List.of(query, up)) {
      expectTensor(name, t -> t.narrow(1, 0, 8), name + " is [");
      expectTensor(name, t -> t.narrow(0, 0, 8), name + " is [8x32], but the configuration");
      expectTensor(name, t -> t.flatten(0, 1), name + " is [");
      expectTensor(name, t -> t.to(DType.INT8), name + " is of type int8, but the configuration");
      expectTensor(name, t -> t.eq(t), name + " is of type bool");
    }
    // Rows that one lacks and another has more of still make a matrix of the right shape.
    copy("llama");
    Map<String, Tensor> tensors = tensors();
    String key = "model.layers.0.self_attn.k_proj.weight";
    Tensor both = Tensor.cat(0, tensors.get(query), tensors.get(key));
    tensors.put(query, both.narrow(0, 0, 30));
    tensors.put(key, both.narrow(0, 30, 18));
    expectLoad(tensors, query + " is [30x32], but the configuration makes it [32x32]");

    copy("llama");
    Tensor half = tensors().get(up).to(DType.FLOAT16); // which is fine
    Map<String, Tensor> halved = tensors();
    halved.put(up, half);
    SafetensorsFile.write(folder.resolve("model.safetensors"), halved, Map.of("format", "pt"));
    try (Model model = Models.load(folder)) {
      Tensor loaded = model.parameters().get("blocks.1.ffn.gateUp.weight").value();
      assertTrue(loaded.narrow(0, 48, 48).sameAs(half.to(DType.FLOAT32)));
    }
  }

  /** Lists with an entry for each layer would fill the memory before any weight is missed. */
  @Test
  void refusesMoreLayersThanAnyModelHas() {
    expectConfig("llama", "num_hidden_layers", "16777216", "expected 1 to 10000");
    expectConfig("gpt2", "n_layer", "10001", "expected 1 to 10000");
    expectConfig("llama", "num_hidden_layers", "10000", "is its number of layers right?");
  }

  private void expectTensor(String name, UnaryOperator<Tensor> change, String message)
      throws IOException {
    copy("llama");
    Map<String, Tensor> tensors = tensors();
    tensors.put(name, change.apply(tensors.get(name)));
    expectLoad(tensors, message);
  }

  private void expectLoad(Map<String, Tensor> tensors, String message) throws IOException {
    SafetensorsFile.write(folder.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
    String found = assertThrows(FormatException.class, () -> Models.load(folder)).getMessage();
    assertTrue(found.contains(message) && !found.contains("\n"), found);
    assertTrue(found.startsWith(folder.toString()), found);
  }

  private Map<String, Tensor> tensors() throws IOException {
    Map<String, Tensor> tensors = new TreeMap<>();
    try (SafetensorsFile file = SafetensorsFile.open(folder.resolve("model.safetensors"))) {
      file.names().forEach(name -> tensors.put(name, file.tensor(name).copy()));
    }
    return tensors;
  }

  private void expectConfig(String model, String field, String value, String message) {
    String found =
        assertThrows(ConfigException.class, () -> Models.load(changed(model, field, value)))
            .getMessage();
    assertTrue(found.contains(message) && !found.contains("\n"), found);
  }

  private void expectFormat(String model, String field, String value, String message) {
    String found =
        assertThrows(FormatException.class, () -> Models.load(changed(model, field, value)))
            .getMessage();
    assertTrue(found.contains(message) && !found.contains("\n"), found);
  }

  private Path changed(String model, String field, String value) throws IOException {
    copy(model);
    JsonMapper json = new JsonMapper();
    ObjectNode config = (ObjectNode) json.readTree(folder.resolve("config.json").toFile());
    config.set(field, json.readTree(value.replace('\'', '"')));
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
