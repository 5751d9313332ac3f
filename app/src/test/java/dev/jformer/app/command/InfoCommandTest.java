package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code jformer info} as a user gives it. */
class InfoCommandTest {
  private static String well(String... args) {
    Outcome outcome = Outcome.of(args);
    assertEquals(0, outcome.code(), outcome.err());
    return outcome.out();
  }

  @Test
  void listsAllKindsOfPartsWithDescriptions() throws IOException {
    JsonNode info = new JsonMapper().readTree(well("info", "--json"));
    List<String> kinds = new ArrayList<>();
    info.path("kinds").fieldNames().forEachRemaining(kinds::add);
    assertEquals(
        List.of(
            "adapter",
            "cache",
            "compress",
            "data",
            "decision-problem",
            "ffn",
            "functions",
            "gate",
            "mixer",
            "model",
            "neuron-rule",
            "norm",
            "objective",
            "optimizer",
            "position",
            "problem",
            "projection",
            "range",
            "scaling",
            "token-reducer"),
        kinds);
    assertEquals(4, info.path("parts").path("mixer").path("flow").path("heads").asInt());
    List<String> lines = well("info").lines().toList();
    PartKind.all()
        .forEach(
            (name, kind) -> {
              assertFalse(kind.description().isEmpty(), name);
              assertTrue(lines.stream().anyMatch(line -> line.startsWith(name + ": ")), name);
              kind.summaries()
                  .forEach(
                      (part, summary) -> {
                        assertFalse(summary.isEmpty(), name + "=" + part);
                        assertTrue(
                            lines.stream().anyMatch(l -> l.matches(" {2}" + part + " +\\S.*")),
                            name + "=" + part);
                      });
            });
    assertTrue(lines.stream().allMatch(line -> line.length() <= 120), "one line for each part");
  }

  @Test
  void explainsAPart() throws IOException {
    String text = well("info", "flow");
    assertTrue(text.startsWith("flow (mixer)\n\nFlow"), text);
    assertTrue(text.contains("  heads = 4\n      (whole number) H, must divide the width"), text);
    assertTrue(text.contains("causal-lm.mixer"), text);
    assertTrue(text.contains("  jformer train --set model.mixer.type=flow"), text);
    assertTrue(
        text.contains("\n  I_i = φ(q_i)·Σ_j φ(k_j)  "), "formulas keep their lines: " + text);
    JsonNode json = new JsonMapper().readTree(well("info", "softmax", "--json"));
    assertEquals("mixer", json.path("kind").asText());
    JsonNode cache = json.path("fields").get(2);
    assertEquals("cache", cache.path("type").asText(), "the kind of the part: " + cache);
    assertEquals("full", cache.path("default").path("type").asText());
  }

  @Test
  void explainsAKind() {
    String text = well("info", "gate");
    assertTrue(text.contains("  switch  "), text);
    assertFalse(text.contains(" ...\n"), "whole sentences: " + text);
  }

  @Test
  void asksForTheKindWhereANameIsAmbiguous() {
    Outcome outcome = Outcome.of("info", "top-k");
    assertEquals(1, outcome.code());
    assertEquals(
        "jformer: there are several parts 'top-k': choose ffn=top-k or gate=top-k",
        outcome.err().strip());
    assertTrue(well("info", "gate=top-k").contains("renormalise = true"));
    assertTrue(well("info", "compress=zero-tprune").contains("jformer compress MODEL --with"));
  }

  @Test
  void namesTheNearestPart() {
    Outcome outcome = Outcome.of("info", "flw");
    assertEquals(1, outcome.code());
    assertTrue(outcome.err().contains("did you mean 'flow'?"), outcome.err());
    assertEquals(1, Outcome.of("info", "gate=flow").code());
    assertEquals(1, Outcome.of("info", "flow", "--recipe", "java").code());
  }
}
