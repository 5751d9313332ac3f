package dev.jformer.hub;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.data.DataException;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.io.FormatException;
import dev.jformer.io.SafetensorsFile;
import dev.jformer.io.Weights;
import dev.jformer.model.Encoder;
import dev.jformer.nn.Norm;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tiny BERTs made by Python transformers, with what it computes: see tools/fixtures/make_bert.py.
 */
@ExtendWith(Scoped.class)
class BertTest {
  static final Path MODELS = Path.of("src/test/resources/dev/jformer/io/hf");

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"bert", "bert-mlm"})
  void hiddenStatesAreTransformers(String name) throws IOException {
    try (Mode mode = Autograd.noGrad();
        Encoder model = (Encoder) Models.load(MODELS.resolve(name));
        SafetensorsFile expected =
            SafetensorsFile.open(MODELS.resolve(name).resolve("expected.safetensors"))) {
      check(model, expected);
    }
  }

  /** Padding's own states mean nothing, so they are not compared. */
  static void check(Encoder model, SafetensorsFile expected) {
    Tensor ids = expected.tensor("input_ids");
    Tensor paddingMask = expected.tensor("attention_mask").gt(0);
    Tensor kept = paddingMask.unsqueeze(2).to(DType.FLOAT32);
    assertClose(
        expected.tensor("hidden").mul(kept).toDoubles(),
        model.hidden(ids, paddingMask).mul(kept),
        1e-5);
    Tensor types = expected.tensor("token_type_ids");
    assertClose(
        expected.tensor("hidden_types").mul(kept).toDoubles(),
        model.hidden(ids, types, paddingMask).mul(kept),
        1e-5);
  }

  @Test
  void fillsInWhereItsFileHoldsThatHead() throws IOException {
    Path bert = MODELS.resolve("bert-mlm");
    try (Mode mode = Autograd.noGrad();
        Encoder model = (Encoder) Models.load(bert);
        SafetensorsFile expected = SafetensorsFile.open(bert.resolve("expected.safetensors"))) {
      Tensor paddingMask = expected.tensor("attention_mask").gt(0);
      Tensor kept = paddingMask.unsqueeze(2).to(DType.FLOAT32);
      Tensor ids = expected.tensor("input_ids");
      assertClose(
          expected.tensor("logits").mul(kept).toDoubles(),
          model.mlmLogits(ids, paddingMask).mul(kept),
          3e-5);
      assertEquals(4, model.mask());
      assertEquals(0, model.padding());
    }
    try (Encoder model = (Encoder) Models.load(MODELS.resolve("bert"))) {
      Tensor ids = Tensor.of(new long[] {2, 3}, 1, 2);
      assertThrows(IllegalStateException.class, () -> model.mlmLogits(ids, null));
      assertTrue(model.parameters().keySet().stream().noneMatch(n -> n.startsWith("transform")));
      assertEquals(new Norm.LayerNormConfig(1e-12, true), model.config().embeddings().norm());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"bert", "bert-mlm"})
  void savedAsOursItIsTheSameToTheBit(String name) throws IOException {
    try (Mode mode = Autograd.noGrad();
        Encoder model = (Encoder) Models.load(MODELS.resolve(name))) {
      Models.save(model, folder);
      try (Encoder again = (Encoder) Models.load(folder)) {
        assertEquals(model.config(), again.config());
        Tensor ids = Tensor.randint(5, 60, 2, 9);
        assertSame(model.hidden(ids, null), again.hidden(ids, null), name);
      }
    }
  }

  /** From tokenizer.json, which asks for a cut and padding of its own, and from vocab.txt. */
  @ParameterizedTest
  @ValueSource(strings = {"bert", "bert-mlm"})
  void tokenizesAsTransformersDoes(String name) throws IOException {
    Path bert = MODELS.resolve(name);
    JsonNode expected = new JsonMapper().readTree(bert.resolve("expected.json").toFile());
    Tokenizer tokenizer = Tokenizers.load(bert);
    for (int i = 0; i < expected.path("texts").size(); i++) {
      String text = expected.path("texts").get(i).asText();
      assertArrayEquals(
          new JsonMapper().convertValue(expected.path("ids").get(i), int[].class),
          tokenizer.encodeWhole(text, 100),
          text);
    }
    String last = expected.path("texts").get(3).asText();
    assertArrayEquals(
        new JsonMapper().convertValue(expected.path("cut"), int[].class),
        tokenizer.encodeWhole(last, 8));
    assertEquals(2, tokenizer.encodeWhole(last, 2).length);
    assertEquals(tokenizer.encode(last).length + 2, tokenizer.encodeWhole(last, 100).length);
    assertThrows(IllegalArgumentException.class, () -> tokenizer.encodeWhole(last, 1));
    assertEquals(4, tokenizer.id("[MASK]").orElseThrow());
    assertTrue(tokenizer.id("[NONE]").isEmpty());
  }

  private void copy(String name, UnaryOperator<ObjectNode> change) throws IOException {
    JsonMapper json = new JsonMapper();
    Path bert = MODELS.resolve(name);
    for (String file : new String[] {"model.safetensors", "tokenizer.json", "vocab.txt"}) {
      Files.deleteIfExists(folder.resolve(file));
      if (Files.exists(bert.resolve(file))) {
        Files.copy(bert.resolve(file), folder.resolve(file));
      }
    }
    ObjectNode config = (ObjectNode) json.readTree(bert.resolve("config.json").toFile());
    Files.writeString(folder.resolve("config.json"), change.apply(config).toString());
  }

  private void refused(Class<? extends Exception> kind, String message) {
    String found = assertThrows(kind, () -> Models.load(folder)).getMessage();
    assertTrue(found.contains(message) && !found.contains("\n"), found);
  }

  @Test
  void saysWhatItCannotExpress() throws IOException {
    copy("bert", config -> config.put("position_embedding_type", "relative_key"));
    refused(ConfigException.class, "position_embedding_type is relative_key");
    copy("bert", config -> config.put("is_decoder", true));
    refused(ConfigException.class, "is_decoder is true");
    copy("bert", config -> config.put("hidden_act", "mish"));
    refused(ConfigException.class, "hidden_act is mish");
    copy("bert-mlm", config -> config.put("tie_word_embeddings", false));
    refused(ConfigException.class, "tie_word_embeddings is false");
    copy("bert", config -> config.put("pad_token_id", "x"));
    refused(ConfigException.class, "pad_token_id is \"x\"");
    copy("bert", config -> config.put("pad_token_id", 67));
    refused(ConfigException.class, "padding, 67");
    copy("bert", config -> config.put("num_hidden_layers", 3));
    refused(FormatException.class, "the tensor encoder.layer.2.attention.self.query.weight is");
    copy("bert", config -> config.put("intermediate_size", 25));
    refused(FormatException.class, "but the configuration makes it [25x16]");
    copy("bert", config -> config.put("num_hidden_layers", 1));
    refused(FormatException.class, "has no parameter for the tensor encoder.layer.1.");
    copy("bert-mlm", config -> config);
    Files.delete(folder.resolve("vocab.txt"));
    refused(DataException.class, "no tokenizer at");
    Files.writeString(folder.resolve("vocab.txt"), "[PAD]\n[UNK]\nword\n");
    refused(DataException.class, "has no [CLS]");
  }

  /** BERT's first files call the weights of norms gamma and beta. */
  @Test
  void knowsTheOldNamesOfNorms() throws IOException {
    copy("bert-mlm", config -> config);
    Tensor ids = Tensor.randint(5, 60, 2, 9);
    try (Mode mode = Autograd.noGrad();
        Encoder model = (Encoder) Models.load(folder);
        Weights weights = Weights.open(MODELS.resolve("bert-mlm"))) {
      Map<String, Tensor> renamed = new LinkedHashMap<>();
      for (String name : weights.names()) {
        renamed.put(
            name.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"),
            weights.tensor(name).copy());
      }
      Weights.save(
          folder,
          renamed,
          Map.of(),
          Map.of("note.txt", "old names".getBytes(StandardCharsets.UTF_8)),
          Weights.DEFAULT_SHARD_BYTES);
      try (Encoder old = (Encoder) Models.load(folder)) {
        assertSame(model.mlmLogits(ids, null), old.mlmLogits(ids, null), "old names");
      }
    }
  }
}
