package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.app.Main;
import dev.jformer.config.Configs;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.decode.Generator;
import dev.jformer.decode.Sampling;
import dev.jformer.hub.Models;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code jformer generate} does when it is asked to end, in a process of its own. */
@DisabledOnOs(OS.WINDOWS) // which cannot ask
class InterruptionTest {
  private static final int TOKENS = 20_000;
  private static final int KNOWN = 200;
  private static final String PROMPT = "Once";

  @TempDir static Path folder;

  /** The first tokens and all of the text that comes of them, by a generator in this process. */
  private static Generator.Continuation expected;

  private final List<Process> started = new ArrayList<>();

  @BeforeAll
  static void model() throws IOException {
    Random.seed(3);
    String config =
        "{\"model\":\"causal-lm\",\"layers\":4,\"width\":256,\"vocab\":256,\"length\":64,"
            + "\"position\":{\"type\":\"rope\"},\"mixer\":{\"heads\":4},"
            + "\"init\":{\"deviation\":0.1}}";
    try (Scope scope = Scope.open();
        CausalLm model = (CausalLm) Configs.parse(config, Model.Config.class).build()) {
      model.train(false);
      Models.save(model, folder);
      ByteTokenizer tokenizer = new ByteTokenizer();
      tokenizer.save(folder);
      Generator.Request request =
          new Generator.Request(KNOWN, new Sampling(0.8, 50, 0.95, 0, 1, 1));
      expected =
          new Generator(model)
              .generate(List.of(tokenizer.encode(PROMPT)), request, tokenizer::decode, null)
              .get(0);
    }
  }

  @AfterEach
  void endAll() {
    started.forEach(Process::destroyForcibly);
  }

  /** A running command, its output as far as it was read. */
  private record Command(Process process, ByteArrayOutputStream out) {
    /** Waits for so many bytes of output. */
    void read(int bytes) throws IOException {
      InputStream stream = process.getInputStream();
      while (out.size() < bytes) {
        int value = stream.read();
        assertTrue(value >= 0, "the command ended after " + out);
        out.write(value);
      }
    }

    /** The exit code and all output. */
    int end() throws IOException, InterruptedException {
      process.getInputStream().transferTo(out);
      assertTrue(process.waitFor(30, TimeUnit.SECONDS), "still running");
      return process.exitValue();
    }

    String text() {
      return out.toString(StandardCharsets.UTF_8);
    }
  }

  private Command start(String... more) throws IOException {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:ErrorFile=" + folder + "/hs_err_%p.log"));
    line.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
    line.addAll(List.of("generate", folder.toString(), "-p", PROMPT, "-n", "" + TOKENS));
    line.addAll(List.of(more));
    Process process =
        new ProcessBuilder(line).redirectError(folder.resolve("err").toFile()).start();
    started.add(process);
    return new Command(process, new ByteArrayOutputStream());
  }

  private static void signal(Command command, String name) throws Exception {
    String pid = String.valueOf(command.process.pid());
    assertEquals(0, new ProcessBuilder("kill", "-" + name, pid).start().waitFor());
  }

  private static void assertClean(String when) throws IOException {
    String err = Files.readString(folder.resolve("err"));
    assertFalse(err.contains("Exception") || err.contains("fatal error"), when + ": " + err);
    try (var files = Files.list(folder)) {
      files
          .filter(file -> file.getFileName().toString().startsWith("hs_err"))
          .forEach(file -> assertEquals("no crash", read(file), when));
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** After so many bytes of text: at once with the prompt, at the first tokens, in full swing. */
  @ParameterizedTest
  @CsvSource({"TERM, 1, 143", "TERM, 900, 143", "INT, 100, 130"})
  void aStreamIsFlushedAndEnds(String signal, int bytes, int code) throws Exception {
    assumeFalse(signal.equals("INT") && ignoresInterrupts());
    Command command = start();
    command.read(bytes);
    signal(command, signal);
    assertEquals(code, command.end());
    assertClean(signal + " after " + bytes);
    String text = command.text();
    assertTrue(text.endsWith("\n"), "the line was not ended");
    // Both may end in the middle of a character.
    String known = (PROMPT + expected.text()).replaceAll("\uFFFD+$", "");
    String shown = text.substring(0, text.length() - 1).replaceAll("\uFFFD+$", "");
    int common = Math.min(shown.length(), known.length());
    assertEquals(known.substring(0, common), shown.substring(0, common));
    String err = Files.readString(folder.resolve("err"));
    assertTrue(err.contains("stopped after "), err);
  }

  @Test
  void aBatchTellsWhatThereIsAndEnds() throws Exception {
    Command command = start("-p", "Upon a time", "--json");
    // It tells nothing while it works: well into it, wherever that is.
    assertFalse(command.process.waitFor(3, TimeUnit.SECONDS));
    signal(command, "TERM");
    assertEquals(143, command.end());
    assertClean("batch");
    JsonNode results = new JsonMapper().readTree(command.text());
    assertEquals(2, results.size(), command.text());
    for (JsonNode result : results) {
      assertEquals("interrupted", result.path("ending").asText());
    }
    int count = results.get(0).path("ids").size();
    for (int i = 0; i < Math.min(count, KNOWN); i++) {
      assertEquals(expected.ids().get(i), results.get(0).path("ids").get(i).asInt(), "token " + i);
    }
  }

  /** While Java starts, while libraries are loaded, and while the model is. */
  @ParameterizedTest
  @CsvSource({"200", "600", "1000"})
  void endsBeforeItBegan(int millis) throws Exception {
    Command command = start();
    Thread.sleep(millis);
    signal(command, "TERM");
    assertEquals(143, command.end());
    assertClean("after " + millis + " ms");
  }

  /** A shell gives this to what it starts in the background, and Java then respects it. */
  private static boolean ignoresInterrupts() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(line -> line.startsWith("SigIgn:"))
        .anyMatch(line -> (Long.parseUnsignedLong(line.substring(7).strip(), 16) & 2) != 0);
  }
}
