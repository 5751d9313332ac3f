package dev.jformer.hub;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.io.SafetensorsFile;
import dev.jformer.model.Encoder;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tiny encoders made by Python transformers, with what it computes: see
 * tools/fixtures/make_encoders.py.
 */
@ExtendWith(Scoped.class)
class EncoderFamiliesTest {
  static final Path MODELS = Path.of("src/test/resources/dev/jformer/hub/encoders");

  @TempDir Path folder;

  private static Encoder load(String name) throws IOException {
    return (Encoder) Models.load(MODELS.resolve(name));
  }

  private static SafetensorsFile expected(String name) throws IOException {
    return SafetensorsFile.open(MODELS.resolve(name).resolve("expected.safetensors"));
  }

  /** Padding's own states mean nothing, so they are not compared. */
  private static void check(Encoder model, SafetensorsFile expected) {
    Tensor ids = expected.tensor("input_ids");
    Tensor paddingMask = expected.tensor("attention_mask").gt(0);
    Tensor kept = paddingMask.unsqueeze(2).to(DType.FLOAT32);
    assertClose(
        expected.tensor("hidden").mul(kept).toDoubles(),
        model.hidden(ids, paddingMask).mul(kept),
        1e-5);
    Tensor logits =
        model.config().labels() > 0
            ? model.logits(ids, paddingMask)
            : model.mlmLogits(ids, paddingMask);
    Tensor theirs = expected.tensor("logits");
    boolean each = logits.rank() == 3;
    assertClose(
        (each ? theirs.mul(kept) : theirs).toDoubles(), each ? logits.mul(kept) : logits, 1e-4);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "bert-sequence",
        "bert-tokens",
        "roberta",
        "roberta-sequence",
        "xlm-roberta-tokens",
        "distilbert",
        "distilbert-sequence",
        "distilbert-tokens",
        "mpnet",
        "mpnet-sequence",
        "modernbert",
        "modernbert-sequence",
        "modernbert-tokens"
      })
  void statesAndLogitsAreTransformers(String name) throws IOException {
    try (Mode mode = Autograd.noGrad();
        Encoder model = load(name);
        SafetensorsFile expected = expected(name)) {
      check(model, expected);
      Models.save(model, folder);
      try (Encoder again = (Encoder) Models.load(folder)) {
        assertEquals(model.config(), again.config());
        check(again, expected);
      }
    }
  }

  /** tools/fixtures/check_encoders.py does the same with transformers as the reader. */
  @ParameterizedTest
  @CsvSource({
    "bert-sequence, text-classification",
    "bert-tokens, token-classification",
    "roberta, fill-mask",
    "roberta-sequence, text-classification",
    "xlm-roberta-tokens, token-classification",
    "distilbert, fill-mask",
    "distilbert-sequence, text-classification",
    "distilbert-tokens, token-classification",
    "mpnet, fill-mask",
    "mpnet-sequence, text-classification",
    "modernbert, fill-mask",
    "modernbert-sequence, text-classification",
    "modernbert-tokens, token-classification"
  })
  void savedForTransformersItIsTheSame(String name, String pipeline) throws IOException {
    Path place = MODELS.resolve(name);
    Tokenizer tokenizer = Tokenizers.exists(place) ? Tokenizers.load(place) : null;
    try (Mode mode = Autograd.noGrad();
        Encoder model = load(name);
        SafetensorsFile expected = expected(name)) {
      List<String> labels = HeadLabels.read(place);
      assertEquals(pipeline, HuggingFace.export(model, tokenizer, List.of(), labels, folder));
      assertEquals(labels, HeadLabels.read(folder));
      try (Encoder again = (Encoder) Models.load(folder)) {
        assertEquals(model.config(), again.config());
        check(again, expected);
      }
      JsonMapper json = new JsonMapper();
      String type = name.replaceAll("-(sequence|tokens)", "").replace("xlm-", "");
      assertEquals(
          type, json.readTree(folder.resolve("config.json").toFile()).path("model_type").asText());
    }
  }

  @Test
  void whatNoFamilyExpressesIsRefused() throws IOException {
    Encoder.Config preNorm = new Encoder.Config();
    try (Encoder model = preNorm.build()) {
      ConfigException fault =
          assertThrows(
              ConfigException.class,
              () -> HuggingFace.export(model, null, List.of(), List.of(), folder));
      assertTrue(fault.getMessage().contains("cannot be saved as a BERT, "), fault.getMessage());
    }
    try (Encoder model = load("bert-sequence")) {
      ConfigException fault =
          assertThrows(
              ConfigException.class,
              () -> HuggingFace.export(model, null, List.of(), List.of("one"), folder));
      assertTrue(
          fault.getMessage().contains("there are 1 names of labels: expected 3"),
          fault.getMessage());
    }
    assertFalse(Files.exists(folder.resolve("config.json")));
  }

  @Test
  void labelsKeepTheirOrder() throws IOException {
    assertEquals(
        List.of("B-loc", "O", "B-per", "I-per", "I-loc"),
        HeadLabels.read(MODELS.resolve("distilbert-tokens")));
    assertEquals(List.of(), HeadLabels.read(MODELS.resolve("roberta")));
    ObjectNode twice = new JsonMapper().createObjectNode();
    twice.putObject("id2label").put("0", "crane").put("2", "crane").put("1", "boat");
    assertEquals(List.of("crane", "boat", "crane (2)"), HeadLabels.of(twice));
  }

  private Path changed(String name, Consumer<ObjectNode> change) throws IOException {
    JsonMapper json = new JsonMapper();
    ObjectNode config =
        (ObjectNode) json.readTree(MODELS.resolve(name).resolve("config.json").toFile());
    change.accept(config);
    json.writeValue(folder.resolve("config.json").toFile(), config);
    Files.copy(
        MODELS.resolve(name).resolve("model.safetensors"), folder.resolve("model.safetensors"));
    return folder;
  }

  private void assertRefused(String name, Consumer<ObjectNode> change, String message)
      throws IOException {
    Path place = changed(name, change);
    RuntimeException fault = assertThrows(RuntimeException.class, () -> Models.load(place).close());
    assertTrue(fault.getMessage().contains(message), fault.getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    "{\"0\":\"a\"; \"2\":\"b\"}, expected the numbers 0 to 1",
    "{\"0\":\"a\"; \"1\":3}, expected the name of a label",
    "{\"0\":\"a\"; \"1\":\"b\"}, 'classifier.weight is [3x8], but the configuration makes it [2x8]'"
  })
  void labelsThatDoNotFitAreRefused(String labels, String message) throws IOException {
    assertRefused(
        "bert-sequence",
        config -> {
          try {
            config.set("id2label", new JsonMapper().readTree(labels.replace(';', ',')));
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        },
        message);
  }

  @Test
  void settingsThatAreNotSupportedAreRefused() throws IOException {
    assertRefused(
        "roberta-sequence",
        config -> config.put("max_position_embeddings", 2),
        "max_position_embeddings is 2: expected more than the 2 that no token uses");
  }

  @Test
  void aDistilBertNamesItsOwnFields() throws IOException {
    assertRefused(
        "distilbert-sequence", config -> config.put("activation", "tanhh"), "activation is tanhh");
  }

  @Test
  void aHeadThatIsNoChoiceOfOneIsLeftOut() throws IOException {
    Path place =
        changed(
            "roberta-sequence", config -> config.put("problem_type", "multi_label_classification"));
    try (Mode mode = Autograd.noGrad();
        Encoder model = (Encoder) Models.load(place);
        SafetensorsFile expected = expected("roberta-sequence")) {
      assertEquals(0, model.config().labels());
      Tensor paddingMask = expected.tensor("attention_mask").gt(0);
      Tensor kept = paddingMask.unsqueeze(2).to(DType.FLOAT32);
      assertClose(
          expected.tensor("hidden").mul(kept).toDoubles(),
          model.hidden(expected.tensor("input_ids"), paddingMask).mul(kept),
          1e-5);
    }
  }
}
