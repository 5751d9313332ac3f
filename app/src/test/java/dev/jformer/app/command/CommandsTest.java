package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.app.Main;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The commands as a user gives them, in this process. */
class CommandsTest {
  private static final String[] SMALL = {
    "--recipe",
    "shakespeare",
    "--quiet",
    "--json",
    "--set",
    "model.layers=1",
    "--set",
    "model.width=32",
    "--set",
    "model.mixer.heads=2",
    "--set",
    "model.length=32",
    "--set",
    "training.schedule.warmup=2",
    "--set",
    "training.evaluateEvery=10",
    "--set",
    "training.checkpointEvery=5"
  };

  @TempDir Path folder;
  private Path text;

  @BeforeEach
  void text() throws IOException {
    text = folder.resolve("text.txt");
    Files.writeString(
        text, "All happy families are alike; each unhappy one is so in its way.\n".repeat(60));
  }

  private Outcome train(Path out, String... more) {
    List<String> args = new ArrayList<>(List.of("train", "--data", text.toString()));
    args.addAll(List.of("--out", out.toString()));
    args.addAll(Arrays.asList(SMALL));
    args.addAll(Arrays.asList(more));
    return Outcome.of(args.toArray(String[]::new));
  }

  private static void assertFails(Outcome outcome, int code, String message) {
    assertEquals(code, outcome.code(), outcome.toString());
    assertTrue(outcome.err().contains(message), outcome.err());
  }

  private static void assertOneLineFailure(Outcome outcome, String message) {
    assertFails(outcome, 1, message);
    assertEquals(1, outcome.err().strip().lines().count(), outcome.err());
    assertTrue(outcome.err().startsWith("jformer: "), outcome.err());
    assertFalse(outcome.err().contains("unexpected"), outcome.err());
  }

  @Test
  void trainsEvaluatesGeneratesAndExports() throws IOException {
    Path model = folder.resolve("run");
    Outcome trained = train(model, "--steps", "20");
    assertEquals(0, trained.code(), trained.err());
    JsonNode result = new JsonMapper().readTree(trained.out());
    assertEquals(20, result.path("steps").asInt());
    double loss = result.path("bestValidationLoss").asDouble();
    assertTrue(loss < Math.log(256), trained.out());

    Outcome evaluated = Outcome.of("eval", model.toString(), "--json");
    assertEquals(0, evaluated.code(), evaluated.err());
    // The run looked at the same text in float32 products of bf16 values, hence the width of this
    // band.
    assertEquals(loss, new JsonMapper().readTree(evaluated.out()).path("loss").asDouble(), 0.02);

    Outcome other = Outcome.of("eval", model.toString(), "--data", text.toString(), "--json");
    assertEquals(Files.size(text), new JsonMapper().readTree(other.out()).path("tokens").asLong());

    String[] generate = {"generate", model.toString(), "-p", "All", "-n", "12", "--json"};
    Outcome first = Outcome.of(generate);
    assertEquals(0, first.code(), first.err());
    JsonNode made = new JsonMapper().readTree(first.out()).get(0);
    assertEquals(12, made.path("ids").size());
    assertEquals(first.out(), Outcome.of(generate).out());
    assertTrue(
        Outcome.of("generate", model.toString(), "-p", "All", "-n", "5").out().startsWith("All"));

    Path exported = folder.resolve("hf");
    Outcome export = Outcome.of("export", model.toString(), "--out", exported.toString());
    assertEquals(0, export.code(), export.err());
    assertEquals(3, export.out().lines().count(), export.out());
    assertTrue(export.out().contains("model=\"" + exported + "\")"), export.out());
    String[] again = {"generate", exported.toString(), "-p", "All", "-n", "12", "--json"};
    assertEquals(first.out(), Outcome.of(again).out());

    assertEquals(0, Outcome.of("info", model.toString(), "--json").code());
  }

  @Test
  void streamsTheTextThatItGivesAtOnce() throws IOException {
    Path model = folder.resolve("stream");
    assertEquals(0, train(model, "--steps", "12", "--set", "model.position.type=learned").code());
    List<String> base = List.of("generate", model.toString(), "-p", "All é", "-n", "40");
    for (List<String> more :
        List.of(
            List.of("--greedy"),
            List.of("--temperature", "1.5", "--top-k", "0", "--seed", "4"),
            List.of("--temperature", "2", "--top-k", "0", "--min-p", "0.01", "--stop", "e"),
            List.of("--top-p", "0.5", "--top-k", "0", "--repetition-penalty", "1.4"),
            List.of("--stop", "a", "--stop", " ", "--no-cache"))) {
      List<String> streaming = new ArrayList<>(base);
      streaming.addAll(more);
      List<String> atOnce = new ArrayList<>(streaming);
      atOnce.add("--json");
      Outcome shown = Outcome.of(streaming.toArray(String[]::new));
      assertEquals(0, shown.code(), shown.err());
      Outcome told = Outcome.of(atOnce.toArray(String[]::new));
      String whole = new JsonMapper().readTree(told.out()).get(0).path("text").asText();
      assertEquals("All é" + whole + System.lineSeparator(), shown.out(), more.toString());
      // Beside another prompt, whose length is another.
      atOnce.addAll(List.of("-p", "Happy"));
      Outcome beside = Outcome.of(atOnce.toArray(String[]::new));
      assertEquals(
          whole,
          new JsonMapper().readTree(beside.out()).get(0).path("text").asText(),
          beside.out());
    }
    String[] generate = {"generate", model.toString(), "-p"};
    assertOneLineFailure(Outcome.of(with(generate, "")), "prompt 0 is empty");
    assertOneLineFailure(Outcome.of(with(generate, "x".repeat(33), "--json")), "has 33 tokens");
    assertOneLineFailure(
        Outcome.of(with(generate, "x", "--temperature", "-1")), "temperature is -1");
    assertOneLineFailure(Outcome.of(with(generate, "x", "--min-p", "2")), "minP is 2");
    assertOneLineFailure(Outcome.of(with(generate, "x", "--stop", "")), "a stop string is empty");
    assertOneLineFailure(Outcome.of(with(generate, "x", "-n", "0")), "newTokens is 0");
    assertEquals(0, Outcome.of(with(generate, "x", "--top-k", "100000", "-n", "3")).code());
    assertEquals(0, Outcome.of(with(generate, "x", "--temperature", "0", "-n", "3")).code());
  }

  private static String[] with(String[] args, String... more) {
    String[] all = Arrays.copyOf(args, args.length + more.length);
    System.arraycopy(more, 0, all, args.length, more.length);
    return all;
  }

  private static double loss(Outcome outcome) throws IOException {
    assertEquals(0, outcome.code(), outcome.err());
    return new JsonMapper().readTree(outcome.out()).path("loss").asDouble();
  }

  @Test
  void measuresWithAdaptedStatesAndInWindows() throws IOException {
    Path model = folder.resolve("run");
    assertEquals(0, train(model, "--steps", "10").code());
    String[] eval = {"eval", model.toString(), "--json"};
    double plain = loss(Outcome.of(eval));
    String[] none = {"--optimize-states", "0", "--state-block", "8"};
    assertEquals(plain, loss(Outcome.of(with(eval, none))), 1e-4);
    double adapted = loss(Outcome.of(with(eval, "--optimize-states", "1", "--state-block", "8")));
    assertTrue(Math.abs(adapted - plain) > 1e-4, adapted + " and " + plain);
    assertOneLineFailure(
        Outcome.of(with(eval, "--optimize-states", "0.1", "--stride", "8")), "do not overlap");
    assertOneLineFailure(Outcome.of(with(eval, "--state-block", "8")), "without --optimize-states");
    assertOneLineFailure(Outcome.of(with(eval, "--optimize-states", "-1")), "rate is -1");
    assertOneLineFailure(
        Outcome.of(
            "train",
            "--data",
            text.toString(),
            "--from",
            model.toString(),
            "--set",
            "model.length=8"),
        "model.length: the model of --from keeps its shape");
    Path recurrent = folder.resolve("recurrent");
    Outcome begun =
        Outcome.of(
            "train",
            "--data",
            text.toString(),
            "--from",
            model.toString(),
            "--out",
            recurrent.toString(),
            "--quiet",
            "--json",
            "--steps",
            "2",
            "--set",
            "model=recurrent-lm",
            "--set",
            "model.recurrence.window=8",
            "--set",
            "data.length=8");
    assertEquals(0, begun.code(), begun.err());
    String[] other = {"eval", recurrent.toString(), "--json"};
    assertTrue(loss(Outcome.of(with(other, "--window", "16"))) > 0);
    assertOneLineFailure(Outcome.of(with(other, "--optimize-states", "0.1")), "a state of its own");
  }

  @Test
  void guessesWithAPartOfANestedModel() throws IOException {
    Path model = folder.resolve("nested");
    String nested = "model.ffn={\"type\": \"nested-mlp\"}";
    Outcome trained = train(model, "--steps", "6", "--set", nested);
    assertEquals(0, trained.code(), trained.err());
    String[] generate = {"generate", model.toString(), "-p", "All", "-n", "20", "--greedy"};
    Outcome plain = Outcome.of(generate);
    Outcome guessed = Outcome.of(with(generate, "--draft", "self", "--ahead", "3"));
    assertEquals(0, guessed.code(), guessed.err());
    assertEquals(plain.out(), guessed.out());
    assertTrue(guessed.err().contains("guesses were kept"), guessed.err());
    Path small = folder.resolve("small");
    String extract = "{\"type\":\"extract\",\"granularities\":[1]}";
    Outcome extracted =
        Outcome.of("compress", model.toString(), "--with", extract, "--out", small.toString());
    assertEquals(0, extracted.code(), extracted.err());
    Outcome alone = Outcome.of(with(generate, "--jacobi", "3"));
    assertEquals(plain.out(), alone.out());
    assertTrue(alone.err().contains("of the guesses were kept"), alone.err());
    assertOneLineFailure(
        Outcome.of(with(generate, "--jacobi", "3", "--draft", "self")), "expected one of them");
    assertOneLineFailure(Outcome.of(with(generate, "--jacobi", "-1")), "window is -1");
    Outcome other = Outcome.of(with(generate, "--draft", small.toString()));
    assertEquals(plain.out(), other.out());
    assertOneLineFailure(
        Outcome.of(with(generate, "--draft", "self", "--no-cache")), "needs the cache");
    assertOneLineFailure(Outcome.of("generate", small.toString(), "--draft", "self"), "nested-mlp");
  }

  @Test
  void exportsReparametrisedModelsAsPlainOnes() throws IOException {
    Path model = folder.resolve("run");
    String reparametrised = "model.projection={\"type\": \"sigma-reparam\", \"gain\": \"one\"}";
    Outcome trained = train(model, "--steps", "10", "--set", reparametrised);
    assertEquals(0, trained.code(), trained.err());
    Path exported = folder.resolve("hf");
    Outcome export = Outcome.of("export", model.toString(), "--out", exported.toString());
    assertEquals(0, export.code(), export.err());
    double[] losses = new double[2];
    for (int i = 0; i < 2; i++) {
      String place = List.of(model, exported).get(i).toString();
      Outcome evaluated = Outcome.of("eval", place, "--data", text.toString(), "--json");
      assertEquals(0, evaluated.code(), evaluated.err());
      losses[i] = new JsonMapper().readTree(evaluated.out()).path("loss").asDouble();
    }
    assertEquals(losses[0], losses[1], 1e-5);
  }

  @Test
  void resumesAnInterruptedRun() throws IOException {
    Path whole = folder.resolve("whole");
    assertEquals(0, train(whole, "--steps", "12").code());
    Path cut = folder.resolve("cut");
    assertEquals(0, train(cut, "--steps", "12").code());
    // As if it had been killed after its checkpoint at step 10.
    try (var tree = Files.walk(cut.resolve("checkpoints").resolve("step-00000012"))) {
      for (Path path : tree.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
    Outcome resumed = Outcome.of("train", "--resume", cut.toString(), "--quiet");
    assertEquals(0, resumed.code(), resumed.err());
    assertEquals("", resumed.err());
    assertTrue(resumed.out().contains("loss"), "the result is printed: " + resumed.out());
    assertEquals(
        -1, Files.mismatch(whole.resolve("model.safetensors"), cut.resolve("model.safetensors")));
    List<String> a = Files.readAllLines(whole.resolve("metrics.jsonl"));
    List<String> b = Files.readAllLines(cut.resolve("metrics.jsonl"));
    assertEquals(a.size(), b.size());
    for (int i = 0; i < a.size(); i++) {
      assertEquals(
          a.get(i).replaceAll("\"(unitsPerSecond|seconds)\":[^,}]*", ""),
          b.get(i).replaceAll("\"(unitsPerSecond|seconds)\":[^,}]*", ""));
    }
  }

  @Test
  void resumesARunThatWasKilledBeforeItsTokensWereMade() throws IOException {
    Path run = folder.resolve("early");
    assertEquals(0, train(run, "--steps", "3").code());
    Files.delete(run.resolve("data").resolve("tokens.json"));
    Files.delete(run.resolve("checkpoints").resolve("step-00000003").resolve("progress.json"));
    Outcome resumed = Outcome.of("train", "--resume", run.toString(), "--quiet", "--json");
    assertFails(resumed, 1, "no checkpoint");
    assertTrue(Files.exists(run.resolve("data").resolve("tokens.json")));
  }

  @Test
  void explainsWhatIsWrongInOneLine() throws IOException {
    Path run = folder.resolve("r");
    assertOneLineFailure(train(run, "--set", "model.mixer.heads=5"), "heads is 5");
    assertOneLineFailure(
        train(folder.resolve("s"), "--set", "model.mixer.type=sofmax"), "did you mean 'softmax'");
    assertOneLineFailure(train(folder.resolve("t"), "--set", "training.stepps=3"), "stepps");
    assertOneLineFailure(
        train(folder.resolve("u"), "--set", "model.length=100000"), "need at least 100001");
    assertOneLineFailure(train(folder.resolve("v"), "--set", "training.learningRate=-1"), "-1");
    String[] tooLong = {"--set", "model.position.type=learned", "--sample", "a".repeat(500)};
    assertOneLineFailure(train(folder.resolve("w"), tooLong), "500 tokens");
    assertOneLineFailure(train(folder.resolve("x"), "--sample", ""), "is empty");
    assertOneLineFailure(
        Outcome.of("train", "--recipe", "shakespear"), "did you mean 'shakespeare'");
    assertOneLineFailure(Outcome.of("train", "--recipe", "shakespeare"), "give it with --data");
    assertOneLineFailure(
        Outcome.of("train", "--resume", run.resolve("no").toString()), "holds no run");
    assertOneLineFailure(Outcome.of("generate", folder.toString()), "no tokenizer at");
    assertOneLineFailure(Outcome.of("info", folder.toString()), "config.json");
    Path broken = folder.resolve("broken.txt");
    Files.write(broken, new byte[] {'a', (byte) 0xFF, 'b'});
    assertOneLineFailure(
        Outcome.of(
            "train",
            "--recipe",
            "shakespeare",
            "--data",
            broken.toString(),
            "--out",
            folder.resolve("w").toString(),
            "--quiet"),
        "not valid UTF-8 at byte 1");
    assertFails(Outcome.of("trian"), 2, "trian");
    assertFails(Outcome.of("train", "--steps", "many"), 2, "many");
  }

  @Test
  void doesNotOverwriteARunUnasked() throws IOException {
    Path run = folder.resolve("x");
    assertEquals(0, train(run, "--steps", "2").code());
    assertOneLineFailure(train(run, "--steps", "2"), "holds a run already");
    Path shard = Files.createFile(run.resolve("model-00001-of-00002.safetensors"));
    assertEquals(0, train(run, "--steps", "2", "--overwrite").code());
    assertFalse(Files.exists(shard), "weights of another layout go");
  }

  @Test
  void exportsAndVocabulariesReplaceNothingUnasked() throws IOException {
    Path run = folder.resolve("run");
    assertEquals(0, train(run, "--steps", "2").code());
    Path other = folder.resolve("other");
    assertEquals(0, train(other, "--steps", "2", "--seed", "2").code());
    byte[] config = Files.readAllBytes(run.resolve("config.json"));
    byte[] weights = Files.readAllBytes(other.resolve("model.safetensors"));
    String[] onto = {"export", run.toString(), "--out", other.toString()};
    assertOneLineFailure(Outcome.of(onto), "holds a run already");
    String[] itself = {"export", run.toString(), "--out", run.toString(), "--overwrite"};
    assertOneLineFailure(Outcome.of(itself), "would be replaced");
    String[] learn = {
      "tokenizer", "train", "--data", text.toString(), "--vocabulary", "300", "--out"
    };
    List<String> vocabulary = new ArrayList<>(List.of(learn));
    vocabulary.add(other.toString());
    assertFails(Outcome.of(vocabulary.toArray(String[]::new)), 1, "holds a run already");
    assertArrayEquals(config, Files.readAllBytes(run.resolve("config.json")));
    assertArrayEquals(weights, Files.readAllBytes(other.resolve("model.safetensors")));

    String[] asked = {"export", run.toString(), "--out", other.toString(), "--overwrite"};
    assertEquals(0, Outcome.of(asked).code());
    assertFalse(Files.exists(other.resolve("recipe.json")), "the run went with its model");
    assertEquals(0, Outcome.of("generate", other.toString(), "-p", "All", "-n", "2").code());
  }

  /** A model that computes a while is measured; the process is asked to end meanwhile. */
  @Test
  @DisabledOnOs(OS.WINDOWS)
  void anEvaluationThatIsAskedToEndLeavesNoTokens() throws Exception {
    Path run = folder.resolve("run");
    assertEquals(0, train(run, "--steps", "2").code());
    Path data = folder.resolve("long.txt");
    Files.writeString(data, "All happy families are alike.\n".repeat(60_000));
    Path temporary = Files.createDirectory(folder.resolve("tmp"));
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:-UsePerfData",
                "-Djava.io.tmpdir=" + temporary,
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "eval",
                run.toString(),
                "--data",
                data.toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("eval.txt").toFile())
            .start();
    while (!holdsTokens(temporary)) {
      assertTrue(process.isAlive(), Files.readString(folder.resolve("eval.txt")));
      Thread.sleep(20);
    }
    process.destroy();
    assertTrue(process.waitFor(30, TimeUnit.SECONDS));
    assertFalse(holdsTokens(temporary));
  }

  private static boolean holdsTokens(Path temporary) throws IOException {
    try (Stream<Path> folders = Files.list(temporary)) {
      return folders.anyMatch(f -> f.getFileName().toString().startsWith("jformer-text"));
    }
  }

  @Test
  void learnsAndAppliesAVocabulary() {
    Path out = folder.resolve("vocab");
    Outcome trained =
        Outcome.of(
            "tokenizer",
            "train",
            "--data",
            text.toString(),
            "--vocabulary",
            "300",
            "--out",
            out.toString());
    assertEquals(0, trained.code(), trained.err());
    String ids = Outcome.of("tokenizer", "encode", out.toString(), "happy families").out().strip();
    List<String> decode = new ArrayList<>(List.of("tokenizer", "decode", out.toString()));
    decode.addAll(Arrays.asList(ids.split(" ")));
    assertEquals("happy families", Outcome.of(decode.toArray(String[]::new)).out().strip());
    assertTrue(ids.split(" ").length < "happy families".length());
  }

  @Test
  void everyCommandExplainsItself() {
    for (String command :
        List.of(
            "train",
            "eval",
            "generate",
            "export",
            "tokenizer",
            "info",
            "bench",
            "papers",
            "reproduce")) {
      Outcome help = Outcome.of(command, "--help");
      assertEquals(0, help.code(), command);
      assertTrue(help.out().contains("Usage: jformer " + command), help.out());
    }
    long papers = Outcome.of("papers").out().lines().filter(l -> l.startsWith("  ")).count();
    assertEquals(63, papers);
    assertTrue(Outcome.of("generate-completion").out().contains("jformer"));
  }
}
