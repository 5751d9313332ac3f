package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/**
 * Embedding texts, measuring embeddings and learning on from them, as a user gives the commands.
 */
class EmbedTest {
  private static final Path HUB = Path.of("../core/src/test/resources/dev/jformer/io/hf");
  private static final String BERT = HUB.resolve("bert").toString();

  @TempDir Path folder;

  private static String well(String... args) {
    Outcome outcome = Outcome.of(args);
    assertEquals(0, outcome.code(), Arrays.toString(args) + ": " + outcome.err());
    return outcome.out();
  }

  private static void fails(String part, String... args) {
    Outcome outcome = Outcome.of(args);
    assertEquals(1, outcome.code(), Arrays.toString(args) + " ends with 1: " + outcome.out());
    assertTrue(outcome.err().contains(part), "expected '" + part + "' in: " + outcome.err());
  }

  private static JsonNode json(String text) throws IOException {
    return new JsonMapper().readTree(text);
  }

  @Test
  void writesEmbeddingsOnTheConsoleAndInFiles() throws IOException {
    Path texts = Files.writeString(folder.resolve("texts.txt"), "the \"wind\", blows\n\ni go\n");
    String printed = well("embed", BERT, "--text", "there", texts.toString(), "--quiet");
    List<String> lines = printed.lines().toList();
    assertEquals(3, lines.size());
    assertEquals("there", json(lines.get(0)).get("text").asText());
    assertEquals(16, json(lines.get(2)).get("embedding").size());

    Path rows = folder.resolve("out.csv");
    well("embed", BERT, texts.toString(), "--out", rows.toString(), "--quiet");
    List<String> table = Files.readAllLines(rows);
    assertEquals(3, table.size());
    assertTrue(table.get(0).startsWith("text,0,1,2,"), table.get(0));
    assertTrue(table.get(1).startsWith("\"the \"\"wind\"\", blows\","), table.get(1));
    String[] cells = table.get(2).split(",");
    JsonNode same = json(lines.get(2)).get("embedding");
    double length = 0;
    for (int i = 0; i < 16; i++) {
      assertEquals(same.get(i).asDouble(), Double.parseDouble(cells[i + 1]), 1e-6);
      length += Math.pow(same.get(i).asDouble(), 2);
    }
    assertEquals(1, length, 1e-5);

    // The same from the ONNX file of the same model, and from one file itself.
    Path onnx = HUB.resolve("bert-onnx/model.onnx");
    Path objects = folder.resolve("out.jsonl");
    well("embed", onnx.toString(), texts.toString(), "--out", objects.toString(), "--quiet");
    JsonNode other = json(Files.readAllLines(objects).get(1)).get("embedding");
    for (int i = 0; i < 16; i++) {
      assertEquals(same.get(i).asDouble(), other.get(i).asDouble(), 1e-5);
    }
  }

  @Test
  void measuresHowAlikeTextsAre() throws IOException {
    // Pairs of a text with itself are alike, whatever the model.
    String pairs =
        "5\tthe wind\tthe wind\n1\tthe wind\ti go there\n0.5\tblows\tweht der\n5\ti\ti\n";
    Path one = Files.writeString(folder.resolve("one.tsv"), pairs);
    Path two = Files.writeString(folder.resolve("two.tsv"), pairs);
    String[] command = {"eval", BERT, "--task", "sts", "--data", one.toString(), two.toString()};
    String said = well(command);
    assertTrue(said.contains("one.tsv, 4 pairs: spearman (x 100)"), said);
    assertTrue(said.lines().toList().get(2).startsWith("mean, 8 pairs"), said);
    String[] more = Arrays.copyOf(command, command.length + 1);
    more[command.length] = "--json";
    JsonNode scores = json(well(more));
    assertTrue(scores.get("mean").asDouble() > 60, scores.toString());
    assertEquals(2, scores.get("files").size());

    Path broken = Files.writeString(folder.resolve("broken.tsv"), "5\tonly one\n");
    fails("line 1 has 1 tabs", "eval", BERT, "--task", "sts", "--data", broken.toString());
    fails("no task 'nli'", "eval", BERT, "--task", "nli", "--data", one.toString());
    fails("needs files of scored pairs", "eval", BERT, "--task", "sts");
    String untold = well("eval", BERT, "--data", one.toString(), two.toString());
    assertEquals(said, untold, "an encoder without a head is measured by its embeddings");
    String gpt2 = HUB.resolve("gpt2").toString();
    fails("expected one", "eval", gpt2, "--data", one.toString(), two.toString());
    fails(
        "expected an encoder",
        "eval",
        HUB.resolve("gpt2").toString(),
        "--task",
        "sts",
        "--data",
        one.toString());
  }

  @Test
  void saysWhatIsWrong() throws IOException {
    fails("nothing to embed", "embed", BERT);
    Path empty = Files.writeString(folder.resolve("empty.txt"), "\n \n");
    fails("empty.txt] holds no text", "embed", BERT, empty.toString());
    fails(
        "expected a file that ends in .csv or .jsonl",
        "embed",
        BERT,
        "--text",
        "x",
        "--out",
        "a.txt");
    fails("no such file", "embed", folder.resolve("none").toString(), "--text", "x");
    Path lone = Files.copy(HUB.resolve("bert-onnx/model.onnx"), folder.resolve("lone.onnx"));
    fails("no tokenizer at", "embed", lone.toString(), "--text", "x");
    Path cut = folder.resolve("cut.onnx");
    Files.write(cut, Arrays.copyOf(Files.readAllBytes(lone), 20_000));
    fails("cut.onnx: is cut off", "embed", cut.toString(), "--text", "x");
    Path out = folder.resolve("out.csv");
    fails(
        "no such text file",
        "embed",
        BERT,
        folder.resolve("none.txt").toString(),
        "--out",
        out.toString());
    assertFalse(Files.exists(out));
  }

  /** Embeddings, tokenizer and padding are taken over; the classifier is new. */
  @Test
  void aClassifierBeginsWithABert() throws IOException {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 40; i++) {
      lines.append(i % 3 == 0 ? "the wind" : "there").append(" blows i\ten\n");
      lines.append(i % 3 == 0 ? "der wind" : "uberall").append(" weht naive\tde\n");
    }
    Path data = Files.writeString(folder.resolve("texts.tsv"), lines);
    Path run = folder.resolve("run");
    JsonNode result =
        json(
            well(
                "train",
                "--task",
                "classify",
                "--from",
                BERT,
                "--data",
                data.toString(),
                "--out",
                run.toString(),
                "--steps",
                "30",
                "--set",
                "training.learningRate=1e-2",
                "--set",
                "training.batch=8",
                "--set",
                "training.schedule.warmup=2",
                "--quiet",
                "--json"));
    assertEquals("completed", result.get("ending").asText());
    JsonNode config = json(Files.readString(run.resolve("config.json")));
    assertEquals(67, config.get("vocab").asInt());
    assertEquals(2, config.get("labels").asInt());
    assertEquals(0, config.get("embeddings").get("padding").asInt());
    assertFalse(config.get("head").get("mlmHead").asBoolean());
    assertEquals(
        -1,
        Files.mismatch(HUB.resolve("bert/tokenizer.json"), run.resolve("tokenizer.json")),
        "the tokenizer");
    JsonNode recipe = json(Files.readString(run.resolve("recipe.json")));
    assertEquals("linear", recipe.get("training").get("schedule").get("shape").asText());
    JsonNode score = json(well("eval", run.toString(), "--data", data.toString(), "--json"));
    assertTrue(score.get("accuracy").asDouble() > 0.95, score.toString());
    assertTrue(well("predict", run.toString(), "--text", "der wind weht naive").contains(": de "));
  }

  private static void atHome(String home, Executable body) throws Throwable {
    String before = System.getProperty("jformer.home");
    try {
      System.setProperty("jformer.home", home);
      body.execute();
    } finally {
      if (before == null) {
        System.clearProperty("jformer.home");
      } else {
        System.setProperty("jformer.home", before);
      }
    }
  }

  private static void assumeBuilt(String model) {
    assumeTrue(
        Files.exists(Path.of("target/models", model, "model.onnx")),
        "no target/models/" + model + ": the build unpacks it");
  }

  @Test
  void miniLmComesWithTheBuild() throws Throwable {
    atHome(
        folder.toString(),
        () -> fails("build it with 'mvn package'", "embed", "minilm", "--text", "x"));
    assumeBuilt("minilm");
    atHome(
        "..",
        () -> {
          String said = well("embed", "minilm", "--text", "A cat sits.", "--quiet");
          assertEquals(384, json(said).get("embedding").size());
        });
  }

  /** In 8 bits; onnxruntime 1.32, which rounds activations too, finds 0.8927 (Python). */
  @Test
  void bgeSmallComesWithTheBuildAndReadsTheFirstState() throws Throwable {
    assumeBuilt("bge-small");
    atHome(
        "..",
        () -> {
          List<String> words = List.of("embed", "bge-small", "--quiet", "--text");
          JsonNode one = json(well(words, "A cat sits.")).get("embedding");
          JsonNode two = json(well(words, "There is a cat.")).get("embedding");
          double similarity = 0;
          for (int i = 0; i < 384; i++) {
            similarity += one.get(i).asDouble() * two.get(i).asDouble();
          }
          assertEquals(0.8927, similarity, 0.01);
          assertEquals(0.0521, one.get(0).asDouble(), 0.003);
        });
  }

  private static String well(List<String> words, String last) {
    return well(Stream.concat(words.stream(), Stream.of(last)).toArray(String[]::new));
  }

  @Test
  void namesWhatThereIsInsteadOfAMissingFolder() throws IOException {
    Files.createDirectory(folder.resolve("play"));
    Files.writeString(folder.resolve("notes.txt"), "");
    String missing = folder.resolve("plya").toString();
    String expected =
        "jformer: no such file or folder: " + missing + "; " + folder + " holds notes.txt, play/";
    for (String command : List.of("generate", "eval", "tokenizer decode", "translate")) {
      fails(expected, (command + " " + missing + (command.contains(" ") ? " 1" : "")).split(" "));
    }
    fails("/deeper; " + folder + " holds notes.txt", "embed", missing + "/deeper", "--text", "x");
  }

  /** Text of a user's own has no part that a training could use. */
  @Test
  void masksWordsOfTextThatIsGiven() throws IOException {
    String model = HUB.resolve("bert-mlm").toString();
    Path text = Files.writeString(folder.resolve("a.txt"), "where the wind blows, ".repeat(40));
    JsonNode result = json(well("eval", model, "--data", text.toString(), "--json", "--quiet"));
    assertTrue(result.toString().contains("loss"), result.toString());
    Path out = folder.resolve("small");
    well(
        "compress",
        model,
        "--with",
        "weight-int8",
        "--out",
        out.toString(),
        "--data",
        text.toString(),
        "--quiet");
    well("eval", out.toString(), "--data", text.toString(), "--quiet");
  }
}
