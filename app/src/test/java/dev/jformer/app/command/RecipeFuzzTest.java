package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.ConfigException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.RandomDistribution;
import net.jqwik.api.Tuple;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/** Damaged recipes in YAML and JSON are read or refused in one line. */
class RecipeFuzzTest {
  private static final String YAML =
      """
      # a recipe
      model:
        model: causal-lm
        layers: 2
        width: &w 32
        vocab: 256
        mixer: {type: softmax, heads: 2}
        position:
          type: rope
      data:
        type: text
        endings: [".txt", '.md']
        tokenizer: "byte"
      training: {steps: 10, learningRate: 3e-3,
        schedule: {shape: cosine, warmup: 2}}
      """;
  private static final String JSON =
      """
      {"model": {"model": "encoder", "layers": 1, "width": 16, "mixer": {"type": "softmax"}},
       "data": {"type": "text", "endings": []}, "training": {"steps": 5, "precision": "bfloat16"}}
      """;
  private static final List<String> PIECES =
      List.of(
          "\n",
          "\n---\n",
          "\n...\n",
          ": ",
          "- ",
          "{",
          "}",
          "[",
          "]",
          "[[[[[[[[[[",
          "&a ",
          "*a",
          "*w",
          "<<: *w",
          "!!java.net.URL",
          "!!binary x",
          "!!set {a}",
          "|",
          ">",
          "|2-",
          "%YAML 1.1",
          "? ",
          "\t",
          "  ",
          "'",
          "\"",
          "\\\\",
          "\\u0000",
          "\0",
          "\ufeff",
          "~",
          "null",
          "true",
          "NaN",
          ".inf",
          "1e999",
          "-1",
          "0",
          "2147483648",
          "99999999999999999999",
          "0x7f",
          "0o7",
          "1_000",
          "a",
          "layers",
          "type",
          "model: ",
          "steps: 3",
          ",",
          "#",
          "@",
          "`",
          "é");

  /** The most time that a recipe may take, in seconds of a processor. */
  private static final double MOST_SECONDS = 5;

  private static Path folder;
  private static long slowest;
  private static String slowestText = "";

  @BeforeContainer
  static void create() throws IOException {
    folder = Files.createTempDirectory("fuzz");
  }

  @AfterContainer
  static void delete() throws IOException {
    for (String name : List.of("fuzz.yaml", "fuzz.json")) {
      Files.deleteIfExists(folder.resolve(name));
    }
    Files.delete(folder);
    System.out.printf("RecipeFuzzTest: at most %.3f s, for%n%s%n", slowest / 1e9, slowestText);
  }

  /** A piece that replaces some characters. */
  private record Edit(double place, int length, String piece) {
    String apply(String text) {
      int at = (int) (place * text.length());
      return text.substring(0, at) + piece + text.substring(Math.min(text.length(), at + length));
    }
  }

  private static Arbitrary<String> mutations(String text) {
    Arbitrary<Edit> edit =
        Combinators.combine(
                Arbitraries.integers()
                    .between(0, 10_000)
                    .withDistribution(RandomDistribution.uniform())
                    .map(place -> place / 1e4),
                Arbitraries.frequencyOf(
                    Tuple.of(3, Arbitraries.just(0)),
                    Tuple.of(2, Arbitraries.integers().between(1, 12))),
                Arbitraries.of(PIECES))
            .as(Edit::new);
    return edit.list()
        .ofMinSize(1)
        .ofMaxSize(5)
        .map(
            edits -> {
              String now = text;
              for (Edit each : edits) {
                now = each.apply(now);
              }
              return now;
            });
  }

  @Provide
  Arbitrary<String> yaml() {
    return mutations(YAML);
  }

  @Provide
  Arbitrary<String> json() {
    return mutations(JSON);
  }

  private static void check(String name, String text) throws IOException {
    Path file = Files.writeString(folder.resolve(name), text);
    long start = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    try {
      Recipes.load(file.toString(), Map.of());
    } catch (CommandException | ConfigException | IllegalArgumentException e) {
      String message = String.valueOf(e.getMessage());
      assertFalse(message.isBlank() || message.contains("\n"), message);
    }
    long time = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - start;
    if (time > slowest) {
      slowest = time;
      slowestText = text;
    }
    assertTrue(time / 1e9 < MOST_SECONDS, time / 1e9 + " s for " + text);
  }

  @Property
  void yamlIsReadOrRefused(@ForAll("yaml") String text) throws IOException {
    check("fuzz.yaml", text);
  }

  @Property
  void jsonIsReadOrRefused(@ForAll("json") String text) throws IOException {
    check("fuzz.json", text);
  }
}
