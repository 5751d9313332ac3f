package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.hub.Models;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.tensor.Random;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChatCommandTest {
  @TempDir Path folder;

  @BeforeEach
  void model() throws IOException {
    Random.seed(2);
    String config =
        "{\"model\":\"causal-lm\",\"layers\":1,\"width\":16,\"vocab\":257,\"length\":128,"
            + "\"init\":{\"deviation\":0.4}}";
    try (CausalLm model = (CausalLm) Configs.parse(config, Model.Config.class).build()) {
      Models.save(model, folder);
    }
    new ByteTokenizer().save(folder);
    Files.writeString(
        folder.resolve("chat_template.jinja"),
        "{% for m in messages %}{{ m.role }}:{{ m.content }}|{% endfor %}assistant:");
  }

  private Outcome chat(String input, String... args) {
    InputStream before = System.in;
    System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
    try {
      List<String> all = new ArrayList<>(List.of("chat", folder.toString(), "--greedy", "-n", "5"));
      all.addAll(List.of(args));
      return Outcome.of(all.toArray(String[]::new));
    } finally {
      System.setIn(before);
    }
  }

  private static List<String> notes(Outcome outcome) {
    assertEquals(0, outcome.code(), outcome.err());
    return outcome.err().lines().toList();
  }

  @Test
  void aPromptIsAnswered() {
    Outcome outcome = chat("", "Hé");
    List<String> notes = notes(outcome);
    assertTrue(
        notes.get(notes.size() - 1).startsWith("(19 tokens read, 0 kept, 5 generated in"),
        outcome.err());
    assertEquals("(cut off after 5 tokens: see --tokens)", notes.get(0));
  }

  @Test
  void eachLineIsATurn() {
    Outcome outcome = chat("Hé\n\n/reset\nHé\n/unknown\n/system Be.\nHé\n/exit\nnever\n");
    List<String> read = notes(outcome).stream().filter(line -> line.contains("read")).toList();
    assertEquals(3, read.size(), outcome.err());
    assertTrue(read.get(1).startsWith("(1 tokens read, 18 kept"), outcome.err());
    assertTrue(read.get(2).startsWith("(30 tokens read, 0 kept"), outcome.err());
    assertTrue(outcome.err().contains("unknown command /unknown: expected /reset"), outcome.err());
  }

  @Test
  void historyIsKeptUntilTheContextIsFull() {
    Outcome outcome = chat("one\ntwo\nthree\nfour\nfive\nsix", "--context", "100");
    List<String> read = notes(outcome).stream().filter(line -> line.contains("read")).toList();
    assertEquals(6, read.size());
    assertTrue(
        outcome.err().contains("(the context of 100 tokens is full: the oldest 2 messages"),
        outcome.err());
  }

  @Test
  void aModelWithoutTemplateIsRefused() throws IOException {
    Files.delete(folder.resolve("chat_template.jinja"));
    Outcome outcome = chat("", "Hi");
    assertEquals(1, outcome.code());
    assertTrue(outcome.err().contains("has no chat template"), outcome.err());
    assertEquals(1, outcome.err().strip().lines().count());
  }
}
