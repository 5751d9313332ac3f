package dev.jformer.hub;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.data.DataException;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.io.FormatException;
import dev.jformer.io.SafetensorsFile;
import dev.jformer.model.CausalLm;
import dev.jformer.run.LanguageModel;
import dev.jformer.run.RunException;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Files of GPT-2 as people have them: older tokenizers, models saved while compiled. */
@ExtendWith(Scoped.class)
class GptFilesTest {
  private static final Path GPT2 = Path.of("src/test/resources/dev/jformer/io/hf/gpt2");
  private static final JsonMapper JSON = new JsonMapper();

  @TempDir Path folder;

  /** Writes the parts of a tokenizer.json in their older files. */
  private void olderTokenizer() throws IOException {
    JsonNode model = JSON.readTree(GPT2.resolve("tokenizer.json").toFile()).path("model");
    Files.writeString(folder.resolve("vocab.json"), model.path("vocab").toString());
    StringBuilder merges = new StringBuilder("#version: 0.2\n");
    for (JsonNode merge : model.path("merges")) {
      String pair =
          merge.isArray() ? merge.get(0).asText() + " " + merge.get(1).asText() : merge.asText();
      merges.append(pair).append('\n');
    }
    Files.writeString(folder.resolve("merges.txt"), merges);
  }

  @Test
  void vocabularyAndMergesAreATokenizer() throws IOException {
    olderTokenizer();
    Tokenizer tokenizer = Tokenizers.load(folder);
    JsonNode expected = JSON.readTree(GPT2.resolve("expected.json").toFile());
    String text = expected.path("text").asText();
    int[] ids = JSON.convertValue(expected.path("ids"), int[].class);
    assertArrayEquals(ids, tokenizer.encode(text));
    assertEquals(text, tokenizer.decode(ids));
    assertEquals(0, tokenizer.endOfText().orElse(-1));
    assertArrayEquals(ids, tokenizer.encodePrompt(text));

    // OPT begins each text with a token; other tokens were added.
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{\"add_bos_token\":true,\"bos_token\":{\"content\":\"<|endoftext|>\"}}");
    Files.writeString(folder.resolve("added_tokens.json"), "{\"<x>\":96}");
    Tokenizer opt = Tokenizers.load(folder);
    assertEquals(97, opt.vocabularySize());
    assertEquals(0, opt.encodePrompt(text)[0]);
    assertEquals(ids.length + 1, opt.encodePrompt(text).length);
    assertEquals(96, opt.encode("<x>")[opt.encode("<x>").length - 1]);
  }

  @Test
  void damagedFilesAreNamed() throws IOException {
    olderTokenizer();
    for (String[] bad :
        new String[][] {
          {"vocab.json", "{\"a\":\"b\"}"},
          {"vocab.json", "[1"},
          {"merges.txt", "a b c d\n"},
          {"merges.txt", "nothing there\n"}
        }) {
      byte[] before = Files.readAllBytes(folder.resolve(bad[0]));
      Files.writeString(folder.resolve(bad[0]), bad[1]);
      String message =
          assertThrows(DataException.class, () -> Tokenizers.load(folder)).getMessage();
      assertTrue(message.contains("vocab.json") && !message.contains("\n"), message);
      Files.write(folder.resolve(bad[0]), before);
    }
  }

  @Test
  void namesOfCompiledModelsAreRead() throws IOException {
    Files.copy(GPT2.resolve("config.json"), folder.resolve("config.json"));
    Map<String, Tensor> compiled = new TreeMap<>();
    try (SafetensorsFile file = SafetensorsFile.open(GPT2.resolve("model.safetensors"))) {
      file.names().forEach(name -> compiled.put("_orig_mod." + name, file.tensor(name).copy()));
    }
    Path weights = folder.resolve("model.safetensors");
    SafetensorsFile.write(weights, compiled, Map.of("format", "pt"));
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad();
        CausalLm one = (CausalLm) Models.load(GPT2);
        CausalLm other = (CausalLm) Models.load(folder)) {
      Tensor ids = Tensor.randint(0, 96, 1, 20);
      assertTrue(one.logits(ids).sameAs(other.logits(ids)));
    }
    String twice = compiled.keySet().iterator().next();
    compiled.put(twice.replace("_orig_mod.", ""), compiled.get(twice).copy());
    SafetensorsFile.write(weights, compiled, Map.of("format", "pt"));
    String message = assertThrows(FormatException.class, () -> Models.load(folder)).getMessage();
    assertTrue(message.contains("are the same one"), message);
  }

  @Test
  void aTokenizerThatIsTooLargeSaysWhatToDo() throws IOException {
    for (String name : new String[] {"config.json", "model.safetensors"}) {
      Files.copy(GPT2.resolve(name), folder.resolve(name));
    }
    olderTokenizer();
    Files.writeString(folder.resolve("added_tokens.json"), "{\"<x>\":96}");
    String message =
        assertThrows(RunException.class, () -> LanguageModel.load(folder)).getMessage();
    assertTrue(message.contains("97 tokens, but the model's vocabulary 96"), message);
    assertTrue(message.contains("model.resize_token_embeddings(97)"), message);
  }
}
