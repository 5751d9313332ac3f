package dev.jformer.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.decode.Sampling;
import dev.jformer.run.DerivedModelFolder;
import dev.jformer.run.LanguageModel;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Models with small files beside them, with what transformers and sentence-transformers make of
 * them: see tools/fixtures/make_side_files.py.
 */
@ExtendWith(Scoped.class)
class SideFilesTest {
  private static final JsonMapper JSON = new JsonMapper();

  @TempDir Path folder;

  private static Stream<Arguments> cases(String kind) throws IOException {
    JsonNode all = JSON.readTree(BertTest.MODELS.resolve("side-files.json").toFile());
    return all.path(kind).valueStream().map(node -> Arguments.of(node.path("name").asText(), node));
  }

  static Stream<Arguments> sentences() throws IOException {
    return cases("sentences");
  }

  static Stream<Arguments> generation() throws IOException {
    return cases("generation");
  }

  /** Lays a model and the files of a case into a folder. */
  private Path laid(JsonNode given) throws IOException {
    Path place = Files.createDirectories(folder.resolve("model"));
    try (Stream<Path> files = Files.list(BertTest.MODELS.resolve(given.path("model").asText()))) {
      for (Path file : files.toList()) {
        Files.copy(file, place.resolve(file.getFileName()));
      }
    }
    given
        .path("files")
        .properties()
        .forEach(file -> write(place.resolve(file.getKey()), file.getValue()));
    return place;
  }

  private static void write(Path file, JsonNode content) {
    try {
      Files.createDirectories(file.getParent());
      Files.writeString(file, content.isTextual() ? content.asText() : content.toString());
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void sentences(String name, JsonNode given) throws IOException {
    Path model = laid(given);
    checkVectors(model, given);
    // A model that is derived from it embeds as it does.
    Path derived = folder.resolve("derived");
    try (SentenceEncoder encoder = SentenceEncoder.load(model)) {
      DerivedModelFolder.save(encoder.model(), model, derived);
    }
    checkVectors(derived, given);
  }

  private static void checkVectors(Path model, JsonNode given) throws IOException {
    List<String> texts = Arrays.asList(JSON.convertValue(given.path("texts"), String[].class));
    String prompt = given.path("prompt").isNull() ? null : given.path("prompt").asText();
    float[][] expected = JSON.convertValue(given.path("vectors"), float[][].class);
    try (SentenceEncoder encoder = SentenceEncoder.load(model, 2)) {
      float[][] ours = encoder.embed(texts, prompt);
      assertEquals(expected[0].length, encoder.width());
      for (int i = 0; i < ours.length; i++) {
        assertArrayEquals(expected[i], ours[i], 2e-5f, texts.get(i));
      }
    }
  }

  /** Older models of sentence-transformers keep the encoder in a folder of its own. */
  @Test
  void theEncoderMayLieInAFolderWithin() throws IOException {
    JsonNode given =
        JSON.readTree(BertTest.MODELS.resolve("side-files.json").toFile()).path("sentences").get(0);
    Path model = laid(given);
    Path outer = Files.createDirectories(folder.resolve("outer"));
    Files.move(model.resolve("1_Pooling"), outer.resolve("1_Pooling"));
    String modules = Files.readString(model.resolve("modules.json"));
    Files.writeString(
        outer.resolve("modules.json"), modules.replace("\"path\":\"\"", "\"path\":\"0_T\""));
    Files.delete(model.resolve("modules.json"));
    Files.move(model, outer.resolve("0_T"));
    checkVectors(outer, given);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource
  void generation(String name, JsonNode given) throws IOException {
    Path model = laid(given);
    checkText(model, given);
    Path derived = folder.resolve("derived");
    try (LanguageModel loaded = LanguageModel.load(model)) {
      DerivedModelFolder.save(loaded.model(), model, derived);
    }
    checkText(derived, given);
  }

  private static void checkText(Path model, JsonNode given) throws IOException {
    List<Integer> ids = new ArrayList<>();
    given.path("ids").forEach(id -> ids.add(id.intValue()));
    try (LanguageModel loaded = LanguageModel.load(model)) {
      Tokenizer tokenizer = loaded.tokenizer();
      if (StopTokens.of(model, tokenizer).contains(ids.get(ids.size() - 1))) {
        ids.remove(ids.size() - 1); // not part of our text
      }
      String text = tokenizer.decode(ids.stream().mapToInt(Integer::intValue).toArray());
      String prompt = given.path("prompt").asText();
      assertEquals(
          List.of(text),
          loaded.generate(List.of(prompt, prompt), Sampling.GREEDY.maxTokens(12)).stream()
              .distinct()
              .toList());
      StringBuilder streamed = new StringBuilder();
      loaded.generate(prompt, Sampling.GREEDY.maxTokens(12)).forEach(streamed::append);
      assertEquals(text, streamed.toString());
    }
  }

  private void refused(String file, String content, String message) throws IOException {
    Path place = folder.resolve("refused");
    if (Files.notExists(place)) {
      Files.createDirectories(place);
      for (String name : List.of("config.json", "model.safetensors", "tokenizer.json")) {
        Files.copy(BertTest.MODELS.resolve("bert").resolve(name), place.resolve(name));
      }
      write(
          place.resolve("modules.json"),
          JSON.readTree("[{\"type\":\"a.Pooling\",\"path\":\"p\"}]"));
    }
    Files.createDirectories(place.resolve(file).getParent());
    Files.writeString(place.resolve(file), content.replace('\'', '"'));
    String found =
        assertThrows(ConfigException.class, () -> SentenceEncoder.load(place)).getMessage();
    assertTrue(found.contains(message) && !found.contains("\n"), found);
  }

  @Test
  void saysWhatSentenceEncodersCannotDo() throws IOException {
    refused("sentence_bert_config.json", "{'max_seq_length':0}", "max_seq_length is 0: expected");
    refused("p/config.json", "{'pooling_mode':'median'}", "pooling_mode is 'median': expected one");
    refused("modules.json", "[{'type':'a.Dense','path':'d'}]", "the module 'a.Dense' is not");
    refused("modules.json", "[{'type':'a.Pooling','path':'../p'}]", "path is '../p': expected a");
    refused("modules.json", "[{", "modules.json is not valid JSON");
  }

  @Test
  void aPromptMustBeOneOfTheModels() throws IOException {
    try (SentenceEncoder encoder = SentenceEncoder.load(BertTest.MODELS.resolve("bert"))) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> encoder.embed(List.of("a"), "query"))
              .getMessage();
      assertEquals("the model has no prompt 'query': it has none", message);
    }
  }

  @Test
  void whatEndsATextIsANumberOrAList() throws IOException {
    Tokenizer tokenizer = Tokenizers.load(BertTest.MODELS.resolve("llama"));
    assertEquals(Set.of(0), StopTokens.of(folder, tokenizer));
    ObjectNode config = JSON.createObjectNode();
    Files.writeString(folder.resolve("config.json"), config.put("eos_token_id", 7).toString());
    assertEquals(Set.of(7), StopTokens.of(folder, tokenizer));
    config.putArray("eos_token_id").add(3).add(9);
    Files.writeString(folder.resolve("generation_config.json"), config.toString());
    assertEquals(Set.of(3, 9), StopTokens.of(folder, tokenizer));
    for (String wrong : List.of("\"</s>\"", "[1,null]", "1.5", "99999999999")) {
      Files.writeString(
          folder.resolve("generation_config.json"), "{\"eos_token_id\":" + wrong + "}");
      String message =
          assertThrows(ConfigException.class, () -> StopTokens.of(folder, tokenizer)).getMessage();
      assertTrue(message.contains("eos_token_id is " + wrong + ": expected"), message);
    }
  }
}
