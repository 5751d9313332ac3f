package dev.jformer.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.data.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Against sacrebleu; tools/fixtures/make_bleu.py wrote what it says. */
class BleuTest {
  private static JsonNode expected() throws IOException {
    try (InputStream in = BleuTest.class.getResourceAsStream("bleu.json")) {
      return new JsonMapper().readTree(in);
    }
  }

  private static List<String> texts(JsonNode node) {
    List<String> texts = new ArrayList<>();
    node.forEach(text -> texts.add(text.asText()));
    return texts;
  }

  @Test
  void wordsAreThoseOfSacrebleu() throws IOException {
    JsonNode all = expected().get("words");
    assertTrue(all.size() >= 20);
    for (JsonNode text : all) {
      assertEquals(texts(text.get("words")), Words13a.of(text.get("text").asText()));
    }
  }

  @Test
  void scoresAreThoseOfSacrebleu() throws IOException {
    JsonNode all = expected().get("corpora");
    assertTrue(all.size() >= 18);
    for (JsonNode corpus : all) {
      String name = corpus.get("name").asText();
      Bleu bleu = Bleu.of(texts(corpus.get("translations")), texts(corpus.get("references")));
      assertEquals(corpus.get("score").asDouble(), bleu.score(), 1e-9, name);
      assertEquals(corpus.get("bp").asDouble(), bleu.brevityPenalty(), 1e-12, name);
      assertEquals(corpus.get("length").asLong(), bleu.length(), name);
      assertEquals(corpus.get("referenceLength").asLong(), bleu.referenceLength(), name);
      for (int n = 0; n < 4; n++) {
        assertEquals(
            corpus.get("precisions").get(n).asDouble(), bleu.precisions().get(n), 1e-9, name);
      }
    }
  }

  @Test
  void refusesWhatDoesNotMatch() {
    String message =
        assertThrows(DataException.class, () -> Bleu.of(List.of("a"), List.of("a", "b")))
            .getMessage();
    assertTrue(message.contains("1 translations and 2 references"), message);
    assertThrows(DataException.class, () -> Bleu.of(List.of(), List.of()));
  }
}
