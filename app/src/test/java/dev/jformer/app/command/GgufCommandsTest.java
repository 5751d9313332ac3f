package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands that take a GGUF file as a model. */
class GgufCommandsTest {
  private static final Path MODELS = Path.of("../core/src/test/resources/dev/jformer/hub/gguf");
  private static final Path FILE = MODELS.resolve("llama.gguf");

  @TempDir Path folder;

  private static Outcome runs(Object... args) {
    Outcome outcome = outcome(args);
    assertEquals(0, outcome.code(), outcome.err());
    return outcome;
  }

  private static Outcome outcome(Object... args) {
    String[] texts = new String[args.length];
    for (int i = 0; i < args.length; i++) {
      texts[i] = args[i].toString();
    }
    return Outcome.of(texts);
  }

  private static void fails(String part, Object... args) {
    Outcome outcome = outcome(args);
    assertTrue(outcome.code() != 0, outcome.out());
    assertTrue(outcome.err().contains(part), outcome.err());
    assertEquals(1, outcome.err().strip().lines().count(), outcome.err());
  }

  @Test
  void infoShowsWhatAFileHolds() throws IOException {
    String text = runs("info", FILE).out();
    assertTrue(text.contains("Q4_1=3"), text);
    assertTrue(text.contains("gpt2, smollm, 300 tokens"), text);
    assertTrue(text.contains("80,768: Q8_0 in 8 bits, F32 in float32, Q4_1 in 4 bits"), text);
    JsonNode json = new JsonMapper().readTree(runs("info", FILE, "--json").out());
    assertEquals("llama", json.path("architecture").asText());
    assertTrue(json.path("chatTemplate").asBoolean());
    assertEquals("", json.path("unsupported").asText());
  }

  @Test
  void infoSaysWhyAFileCannotBeLoaded() {
    String text = runs("info", MODELS.resolve("spm.gguf")).out();
    assertTrue(text.contains("no: ") && text.contains("llama.embedding_length"), text);
  }

  @Test
  void textsAreGeneratedAndMeasured() throws IOException {
    Outcome generated =
        runs("generate", FILE, "--prompt", "It is", "--greedy", "-n", "5", "--json");
    assertFalse(new JsonMapper().readTree(generated.out()).get(0).path("ids").isEmpty());
    Path text = Files.writeString(folder.resolve("text.txt"), "It is a truth. ".repeat(40));
    Outcome measured = runs("eval", FILE, "--data", text, "--json", "--quiet");
    assertTrue(measured.out().contains("perplexity"), measured.out());
  }

  @Test
  void filesAreCompressedAndExported() throws IOException {
    Path small = folder.resolve("small");
    runs("compress", FILE, "--with", "weight-int8", "--out", small, "--quiet");
    String before = runs("generate", FILE, "--prompt", "It is", "--greedy", "-n", "5").out();
    assertTrue(Files.exists(small.resolve("tokenizer.json")));
    assertTrue(Files.exists(small.resolve("generation_config.json")));
    Path hub = folder.resolve("hub");
    runs("export", FILE, "--out", hub);
    Path again = folder.resolve("again.gguf");
    runs("export", hub, "--out", again, "--type", "F32");
    for (Path same : new Path[] {hub, again}) {
      assertEquals(
          before, runs("generate", same, "--prompt", "It is", "--greedy", "-n", "5").out());
    }
    fails("exists: choose another file", "export", hub, "--out", again);
    runs("export", hub, "--out", again, "--type", "q8_0", "--overwrite");
    fails("which is read from", "export", again, "--out", again, "--overwrite");
    fails("expected one of F32, F16, Q8_0", "export", hub, "--out", again, "--type", "Q4_0");
  }

  /** Weights stay in few bits beside an adapter, and become floats to be trained themselves. */
  @Test
  void modelsAreTrainedOn() throws IOException {
    Path text = Files.writeString(folder.resolve("text.txt"), "It is a truth.\n".repeat(400));
    Path run = folder.resolve("run");
    runs("train", "--from", FILE, "--data", text, "--out", run, "--steps", "2", "--quiet");
    assertTrue(Files.readString(run.resolve("config.json")).contains("\"linear\""));
    Path adapter = folder.resolve("adapter");
    List<Object> words = new ArrayList<>(List.of("train", "--from", FILE, "--data", text));
    words.addAll(List.of("--adapter", "lora", "--out", adapter, "--steps", "2", "--quiet"));
    runs(words.toArray());
    String base = Files.readString(adapter.resolve("adapter_base.json"));
    assertTrue(base.contains("\"blocks\""), base);
    Path merged = folder.resolve("merged");
    runs("export", adapter, "--merge", "--out", merged);
    Object[] asked = {"--prompt", "It is", "--greedy", "-n", "5"};
    assertEquals(
        runs(Stream.concat(Stream.of("generate", adapter), Arrays.stream(asked)).toArray()).out(),
        runs(Stream.concat(Stream.of("generate", merged), Arrays.stream(asked)).toArray()).out());
  }

  @Test
  void damagedFilesAreRefusedInALine() throws IOException {
    byte[] whole = Files.readAllBytes(FILE);
    Path cut = folder.resolve("cut.gguf");
    Files.write(cut, Arrays.copyOf(whole, whole.length / 2));
    fails("truncated", "generate", cut, "--prompt", "a");
    fails("truncated", "info", cut);
    fails("no such file", "generate", folder.resolve("none.gguf"), "--prompt", "a");
  }
}
