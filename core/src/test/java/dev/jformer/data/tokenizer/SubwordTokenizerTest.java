package dev.jformer.data.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.data.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tokenizers of all kinds against Hugging Face's library, see tools/fixtures/make_tokenizers.py,
 * and files that end a process which loads them with it.
 */
class SubwordTokenizerTest {
  private static final JsonMapper JSON = new JsonMapper();
  private static final Path CASES =
      Path.of("src/test/resources/dev/jformer/data/tokenizer/tokenizers.json");

  @TempDir Path folder;

  static Stream<Arguments> theLibrarys() throws IOException {
    JsonNode all = JSON.readTree(CASES.toFile());
    String[] texts = JSON.convertValue(all.path("texts"), String[].class);
    return all.path("cases")
        .valueStream()
        .map(node -> Arguments.of(node.path("name").asText(), node, texts));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("theLibrarys")
  void encodesAndDecodesAsTheLibraryDoes(String name, JsonNode given, String[] texts)
      throws IOException {
    Tokenizer tokenizer = Tokenizers.parse(JSON.writeValueAsBytes(given.path("tokenizer")));
    for (int i = 0; i < texts.length; i++) {
      int[] expected = JSON.convertValue(given.path("ids").get(i), int[].class);
      assertArrayEquals(expected, tokenizer.encodeWhole(texts[i], 1000), texts[i]);
      assertEquals(given.path("decoded").get(i).asText(), tokenizer.decode(expected), texts[i]);
      int plain = tokenizer.encode(texts[i]).length;
      int around = expected.length - plain;
      assertTrue(plain <= tokenizer.encodePrompt(texts[i]).length);
      assertEquals(around + Math.min(plain, 3), tokenizer.encodeWhole(texts[i], around + 3).length);
    }
  }

  /** A tokenizer of two letters and a merge, changed. */
  private static ObjectNode small(Consumer<ObjectNode> change) throws IOException {
    ObjectNode root =
        (ObjectNode)
            JSON.readTree(
                """
                {"added_tokens": [{"id": 3, "content": "<s>", "special": true}],
                 "normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": null,
                 "model": {"type": "BPE", "vocab": {"a": 0, "##b": 1, "ab": 2}, "merges": ["a ##b"],
                           "continuing_subword_prefix": "##"}}
                """);
    change.accept(root);
    return root;
  }

  private static Tokenizer load(ObjectNode root) throws IOException {
    return Tokenizers.parse(JSON.writeValueAsBytes(root));
  }

  private void refused(String part, Consumer<ObjectNode> change) throws IOException {
    Path file = folder.resolve(Tokenizer.FILE);
    Files.write(file, JSON.writeValueAsBytes(small(change)));
    String message = assertThrows(DataException.class, () -> Tokenizers.load(folder)).getMessage();
    assertTrue(message.contains(part) && !message.contains("\n"), message);
    assertTrue(message.startsWith("cannot use the tokenizer " + file), message);
  }

  private void partRefused(String message, String name, String content) throws IOException {
    refused(message, root -> root.set(name, json(content)));
  }

  private static JsonNode json(String text) {
    try {
      return JSON.readTree(text.replace('\'', '"'));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void refusesWhatEndsAProcessThatUsesTheLibrary() throws IOException {
    assertArrayEquals(new int[] {2, 3}, load(small(root -> {})).encode("ab<s>"));
    refused(
        "model.merges.0 has 'a ##b': expected a right part that begins with the"
            + " continuing_subword_prefix '######'",
        root -> root.withObject("/model").put("continuing_subword_prefix", "######"));
    partRefused(
        "post_processor.single has the special token '[CLS]', which special_tokens does not list",
        "post_processor",
        "{'type':'TemplateProcessing','single':[{'SpecialToken':{'id':'[CLS]','type_id':0}},"
            + "{'Sequence':{'id':'A','type_id':0}}],'pair':[],'special_tokens':{}}");
    partRefused("decoder.type is missing: expected a string", "decoder", "{'prefix':'##'}");
    partRefused(
        "normalizer.precompiled_charsmap has 3 bytes",
        "normalizer",
        "{'type':'Precompiled','precompiled_charsmap':'AAAA'}");
    partRefused(
        "normalizer.precompiled_charsmap is not in base 64",
        "normalizer",
        "{'type':'Precompiled','precompiled_charsmap':'?'}");
    for (String id : new String[] {"2147483647", "4294967295", "-1", "1.5", "'x'", "16777216"}) {
      refused("expected 0 to 16777215", root -> root.withObject("/model/vocab").set("c", json(id)));
      refused(
          "added_tokens.0.id is",
          root -> ((ObjectNode) root.path("added_tokens").get(0)).set("id", json(id)));
    }
    partRefused(
        "post_processor puts the id 9 around texts, but the vocabulary has 4 ids",
        "post_processor",
        "{'type':'BertProcessing','cls':['x',9],'sep':['y',3]}");
  }

  @Test
  void refusesPartsThatItDoesNotKnow() throws IOException {
    partRefused("normalizer is of type 'Upper', which is not", "normalizer", "{'type':'Upper'}");
    partRefused("pre_tokenizer is of type 'X'", "pre_tokenizer", "{'type':'X'}");
    partRefused("post_processor is of type 'X'", "post_processor", "{'type':'X'}");
    partRefused("decoder is of type 'X'", "decoder", "{'type':'X'}");
    partRefused("model is of type 'X'", "model", "{'type':'X','vocab':{}}");
    partRefused("decoder is [1]: expected an object", "decoder", "[1]");
    partRefused(
        "normalizer.normalizers.1.type is missing",
        "normalizer",
        "{'type':'Sequence','normalizers':[{'type':'NFC'},{}]}");
    for (String regex : new String[] {"(", "[a", "\\\\p{Klingon}", "[[:nothing:]]", "\\\\g<1>"}) {
      partRefused(
          "pre_tokenizer.pattern.Regex is '",
          "pre_tokenizer",
          "{'type':'Split','pattern':{'Regex':'" + regex + "'},'behavior':'Isolated'}");
    }
    partRefused(
        "pre_tokenizer.behavior is \"Melted\": expected one of [removed, isolated",
        "pre_tokenizer",
        "{'type':'Split','pattern':{'String':'a'},'behavior':'Melted'}");
    partRefused(
        "model.vocab.0 is [\"a\"]: expected a list of a text and a number",
        "model",
        "{'type':'Unigram','vocab':[['a']]}");
    partRefused(
        "model.unk_id is 3, but the vocabulary has 1 pieces",
        "model",
        "{'type':'Unigram','unk_id':3,'vocab':[['a',0]]}");
  }

  /** Which takes the library past its limit, and the process with it. */
  @Test
  void aRegularExpressionThatBacktracksIsStopped() throws IOException {
    Tokenizer tokenizer =
        load(
            small(
                root ->
                    root.set(
                        "pre_tokenizer",
                        json(
                            "{'type':'Split','pattern':{'Regex':'a*a*a*a*a*a*a*a*c'},'behavior':'Isolated',"
                                + "'invert':false}"))));
    String message =
        assertTimeoutPreemptively(
            Duration.ofSeconds(20),
            () ->
                assertThrows(DataException.class, () -> tokenizer.encode("a".repeat(60) + "b"))
                    .getMessage());
    assertTrue(message.startsWith("pre_tokenizer.pattern.Regex of the tokenizer takes too long"));
    assertEquals(0, tokenizer.encode("").length);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"gpt2", "llama3", "o200k", "deepseek", "llama2", "bert", "unigram", "precompiled"})
  void longWordsTakeTimeInProportion(String name) throws IOException {
    Tokenizer tokenizer = named(name);
    assertTimeoutPreemptively(
        Duration.ofSeconds(20),
        () -> {
          for (String part :
              new String[] {
                "a", " ", "\n", "你好", "!?", "12", "🙂", "aB", "e\u0301", "\u0301\u0323"
              }) {
            String text = part.repeat(100_000 / part.length());
            assertTrue(tokenizer.encode(text).length <= 4 * text.length(), part);
          }
        });
  }

  private static Tokenizer named(String name) throws IOException {
    for (JsonNode given : JSON.readTree(CASES.toFile()).path("cases")) {
      if (given.path("name").asText().equals(name)) {
        return Tokenizers.parse(JSON.writeValueAsBytes(given.path("tokenizer")));
      }
    }
    throw new IllegalArgumentException(name);
  }

  @Test
  void halfACharacterBecomesTheReplacementCharacter() throws IOException {
    Tokenizer tokenizer = named("gpt2");
    assertArrayEquals(tokenizer.encode("a\uFFFDb"), tokenizer.encode("a\uD83Db"));
    assertArrayEquals(tokenizer.encode("\uFFFD\uFFFD"), tokenizer.encode("\uDE00\uD83D"));
    assertEquals("", tokenizer.decode(new int[] {-1, Integer.MAX_VALUE, 16_000_000}));
  }

  @Test
  void threadsMayShareIt() throws IOException {
    Tokenizer tokenizer = named("llama3");
    String text = "The cat sits in the park, don't they say 12345?\n";
    int[] expected = tokenizer.encode(text);
    Stream.generate(() -> text)
        .parallel()
        .limit(2000)
        .forEach(t -> assertArrayEquals(expected, tokenizer.encode(t)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      value = {
        "\\p{Han}+ ~ a世界b ~ 世界",
        "\\p{Lowercase_Letter}+ ~ ABcdE ~ cd",
        "\\p{^L}+ ~ ab12cd ~ 12",
        "\\P{^N}+ ~ ab12cd ~ 12",
        "[[:alpha:]_]+ ~ 12ab_3 ~ ab_",
        "[^[:space:]]+ ~ ' \tab ' ~ ab",
        "(?m:a.b) ~ 'a\nb' ~ 'a\nb'",
        "a{,2}b ~ aaab ~ aab",
        "\\h+ ~ xyz0Fg ~ 0F",
        "[\\w]+ ~ ½a½ ~ a",
        "\\w+ ~ .½a. ~ ½a",
        "(?i)'S ~ it's ~ ''s",
        "(?<=a)b(?!c) ~ bcabd ~ b",
        "^b ~ 'a\nb' ~ b",
      })
  void regularExpressionsMeanWhatTheyMeanInOniguruma(String regex, String text, String found) {
    TextPattern pattern = RegexPattern.of(regex, "regex");
    String expected = found.startsWith("''") ? found.substring(1) : found;
    StringBuilder first = new StringBuilder();
    pattern.find(
        text,
        (start, end, isMatch) -> {
          if (isMatch && end > start && first.isEmpty()) {
            first.append(text, start, end);
          }
        });
    assertEquals(expected, first.toString());
  }

  /** Older files leave out the type of the model. */
  @Test
  void knowsModelsWithoutAType() throws IOException {
    assertArrayEquals(
        new int[] {2},
        load(small(r -> ((ObjectNode) r.path("model")).remove("type"))).encode("ab"));
    for (Map.Entry<String, String> model :
        Map.of(
                "{'vocab':[['a',-1.0],['b',-2.0]],'unk_id':0}",
                "ab",
                "{'vocab':{'a':0,'##b':1,'[UNK]':2},'continuing_subword_prefix':'##'}",
                "ab",
                "{'vocab':{'x':1,'ab':0},'unk_token':'x'}",
                "q")
            .entrySet()) {
      int[] ids = load(small(r -> r.set("model", json(model.getKey())))).encode(model.getValue());
      assertEquals(1, ids[ids.length - 1], model.getKey());
    }
  }
}
