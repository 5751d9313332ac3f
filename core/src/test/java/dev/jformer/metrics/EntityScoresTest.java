package dev.jformer.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Entities and their scores are those of seqeval; see tools/fixtures/make_entities.py. */
class EntityScoresTest {
  private static final double EXACT = 1e-12;

  private static JsonNode cases() throws IOException {
    try (InputStream in = EntityScoresTest.class.getResourceAsStream("entities.json")) {
      return new JsonMapper().readTree(in);
    }
  }

  private static List<String> tags(JsonNode node) {
    List<String> tags = new ArrayList<>();
    node.forEach(tag -> tags.add(tag.asText()));
    return tags;
  }

  @Test
  void scoresAreThoseOfSeqeval() throws IOException {
    int count = 0;
    for (JsonNode one : cases()) {
      EntityScores scores = new EntityScores();
      for (int i = 0; i < one.path("gold").size(); i++) {
        scores.add(tags(one.path("gold").get(i)), tags(one.path("predicted").get(i)));
      }
      assertEquals(one.path("f1").asDouble(), scores.metrics().get("f1"), EXACT);
      assertEquals(one.path("precision").asDouble(), scores.metrics().get("precision"), EXACT);
      assertEquals(one.path("recall").asDouble(), scores.metrics().get("recall"), EXACT);
      one.path("types")
          .properties()
          .forEach(
              type -> {
                EntityScores.Score ours = scores.byType().get(type.getKey());
                assertEquals(type.getValue().get(0).asDouble(), ours.precision(), EXACT);
                assertEquals(type.getValue().get(1).asDouble(), ours.recall(), EXACT);
                assertEquals(type.getValue().get(2).asDouble(), ours.f1(), EXACT);
                assertEquals(type.getValue().get(3).asLong(), ours.entities());
              });
      count++;
    }
    assertEquals(40, count);
  }

  @Test
  void spansAreThoseOfSeqeval() throws IOException {
    for (JsonNode one : cases()) {
      for (int i = 0; i < one.path("gold").size(); i++) {
        List<EntitySpan> expected = new ArrayList<>();
        one.path("spans")
            .get(i)
            .forEach(
                s ->
                    expected.add(
                        new EntitySpan(s.get(0).asText(), s.get(1).asInt(), s.get(2).asInt())));
        assertEquals(expected, EntitySpan.of(tags(one.path("gold").get(i))));
      }
    }
  }

  @Test
  void thePrimaryMetricIsF1AndWordsCountForAccuracy() {
    EntityScores scores = new EntityScores();
    scores.add(List.of("B-a", "I-a", "O", "O"), List.of("B-a", "O", "O", "O"));
    assertEquals("f1", scores.metrics().primary().name());
    assertEquals(0, scores.metrics().primary().value());
    assertEquals(0.75, scores.metrics().get("accuracy"));
    IllegalArgumentException fault =
        assertThrows(
            IllegalArgumentException.class, () -> scores.add(List.of("O"), List.of("O", "O")));
    assertTrue(fault.getMessage().contains("2 predicted tags: expected 1"), fault.getMessage());
  }

  @Test
  void tagsWithoutTypesAndTypesWithoutPrefixesAreSpansToo() {
    assertEquals(
        List.of(new EntitySpan("", 0, 2), new EntitySpan("", 2, 3)),
        EntitySpan.of(List.of("B", "I", "B", "O")));
    assertEquals(
        List.of(new EntitySpan("NOUN", 0, 2), new EntitySpan("VERB", 2, 3)),
        EntitySpan.of(List.of("NOUN", "NOUN", "VERB")));
    assertEquals(new HashSet<>(), new HashSet<>(EntitySpan.of(List.of())));
  }
}
