package dev.jformer.app.command;

import static dev.jformer.app.command.Outcome.well;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.metrics.Bleu;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A translator, from training to its score, as a user gives the commands. */
class TranslateTest {
  private static final List<String> WORDS = List.of("one", "two", "three", "four");
  private static final List<String> OTHERS = List.of("eins", "zwei", "drei", "vier");

  @TempDir Path folder;
  private Path source;
  private Path target;

  private static void fails(String part, String... args) {
    Outcome outcome = Outcome.of(args);
    assertEquals(1, outcome.code(), Arrays.toString(args) + " ends with 1: " + outcome.out());
    assertTrue(outcome.err().contains(part), "expected '" + part + "' in: " + outcome.err());
  }

  private static JsonNode json(String text) throws IOException {
    return new JsonMapper().readTree(text);
  }

  @BeforeEach
  void files() throws IOException {
    SplittableRandom random = new SplittableRandom(4);
    StringBuilder from = new StringBuilder();
    StringBuilder to = new StringBuilder();
    for (int i = 0; i < 300; i++) {
      int count = 4 + random.nextInt(2);
      for (int n = 0; n < count; n++) {
        int word = random.nextInt(WORDS.size());
        from.append(WORDS.get(word)).append(n == count - 1 ? "\n" : " ");
        to.append(OTHERS.get(word)).append(n == count - 1 ? "\n" : " ");
      }
    }
    source = Files.writeString(folder.resolve("train.en"), from);
    target = folder.resolve("train.de.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(target))) {
      out.write(to.toString().getBytes(StandardCharsets.UTF_8));
    }
  }

  private String[] training(Path out, int steps, String... more) {
    List<String> args =
        new ArrayList<>(List.of("train", "--task", "translate", "--out", out.toString()));
    args.addAll(List.of("--source", source.toString(), "--target", target.toString()));
    args.addAll(List.of("--steps", "" + steps, "--quiet", "--json"));
    for (String field :
        List.of(
            "model.width=32",
            "model.encoderLayers=1",
            "model.decoderLayers=1",
            "model.dropout=0.05",
            "data.vocabulary=290",
            "data.tokens=300",
            "training.schedule.warmup=40",
            "training.ema=0.9",
            "training.precision=float32",
            "training.evaluateEvery=30",
            "training.checkpointEvery=20")) {
      args.addAll(List.of("--set", field));
    }
    args.addAll(Arrays.asList(more));
    return args.toArray(String[]::new);
  }

  @Test
  void trainsTranslatesAndScores() throws IOException {
    Path run = folder.resolve("run");
    JsonNode result = json(well(training(run, 120)).out());
    double best = result.get("bestValidationBleu").asDouble();
    assertTrue(result.get("bestValidationLoss").asDouble() < 2, "nats: " + result);
    assertTrue(best > 60, "BLEU " + best);
    assertTrue(well("info", run.toString()).out().contains("encoder-decoder, 1 + 1 layers"));

    String one = "one two three four";
    String translated = well("translate", run.toString(), one).out();
    Path out = folder.resolve("out.de");
    well("translate", run.toString(), "--in", source.toString(), "--out", out.toString());
    List<String> lines = Files.readAllLines(out);
    assertEquals(300, lines.size());

    JsonNode score =
        json(
            well(
                    "eval",
                    run.toString(),
                    "--task",
                    "translate",
                    "--source",
                    source.toString(),
                    "--target",
                    target.toString(),
                    "--json",
                    "--quiet")
                .out());
    List<String> references = dev.jformer.data.text.TextLines.read(target);
    assertEquals(Bleu.of(lines, references).score(), score.get("bleu").asDouble(), 0.5);
    assertTrue(score.get("loss").asDouble() < 1, score.toString());
    assertEquals(300, score.get("texts").asInt());
    String words =
        well(
                "eval",
                run.toString(),
                "--source",
                source.toString(),
                "--target",
                target.toString(),
                "--beam",
                "1")
            .out();
    assertTrue(words.startsWith("300 texts: bleu "), words);
    assertTrue(words.contains("signature: " + Bleu.SIGNATURE), words);

    JsonNode object = json(well("translate", run.toString(), "--beam", "5", "--json", one).out());
    assertEquals(one, object.get("text").asText());
    assertEquals(translated.strip(), object.get("translation").asText());
    InputStream in = System.in;
    try {
      System.setIn(new ByteArrayInputStream((one + "\n\n").getBytes(StandardCharsets.UTF_8)));
      assertEquals(translated.strip() + "\n\n", well("translate", run.toString(), "--quiet").out());
    } finally {
      System.setIn(in);
    }
    fails("one or the other", "translate", run.toString(), "--in", source.toString(), one);
    fails("beam is 0", "translate", run.toString(), "--beam", "0", one);
    fails("--source", "eval", run.toString());
    fails(
        "no such text file", "translate", run.toString(), "--in", folder.resolve("no").toString());
    fails(
        "an encoder-decoder cannot be saved for transformers",
        "export",
        run.toString(),
        "--out",
        folder.resolve("x").toString());
  }

  @Test
  void writesAllWordsAtOnceBesideAMaskedModel() throws IOException {
    Path both = Files.writeString(folder.resolve("both.txt"), Files.readString(source));
    Path mlm = folder.resolve("mlm");
    List<String> small = List.of("layers=1", "width=32", "length=48", "mixer.heads=2");
    List<String> args = new ArrayList<>(List.of("train", "--task", "mlm", "--quiet"));
    args.addAll(List.of("--data", both.toString(), "--out", mlm.toString(), "--steps", "3"));
    args.addAll(List.of("--set", "data.tokenizer=byte"));
    small.forEach(field -> args.addAll(List.of("--set", "model." + field)));
    well(args.toArray(String[]::new));
    Path run = folder.resolve("denoising");
    List<String> more = new ArrayList<>(List.of("train", "--task", "translate", "--quiet"));
    more.addAll(List.of("--from", mlm.toString(), "--source", source.toString()));
    more.addAll(List.of("--target", target.toString(), "--out", run.toString(), "--steps", "3"));
    more.addAll(List.of("--set", "model=denoising-translator", "--set", "data.select=loss"));
    well(more.toArray(String[]::new));
    String folderOfRun = run.toString();
    Outcome translated =
        well("translate", folderOfRun, "--passes", "2", "--lengths", "2", "--json", "one two");
    assertEquals("one two", json(translated.out()).get("text").asText());
    fails("leave out --beam", "translate", folderOfRun, "--beam", "2", "one two");
    fails("which is no translator", "translate", mlm.toString(), "one two");
  }

  @Test
  void resumesWhereItWasStopped() throws IOException {
    Path whole = folder.resolve("whole");
    well(training(whole, 40));
    Path parts = folder.resolve("parts");
    well(training(parts, 20));
    Path recipe = parts.resolve("recipe.json");
    Files.writeString(
        recipe, Files.readString(recipe).replaceAll("\"steps\" *: *20", "\"steps\" : 40"));
    well("train", "--resume", parts.toString(), "--quiet");
    List<String> expected = lossLines(whole);
    List<String> found = lossLines(parts);
    assertEquals(40, found.size());
    assertEquals(expected, found);
    Files.writeString(source, Files.readString(source).replaceFirst("two", "three"));
    fails("not those that the run in", "train", "--resume", parts.toString(), "--quiet");
  }

  private static List<String> lossLines(Path run) throws IOException {
    List<String> losses = new ArrayList<>();
    for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
      JsonNode node = json(line);
      if (node.has("loss")) {
        losses.add(node.get("step") + " " + node.get("loss"));
      }
    }
    return losses;
  }

  @Test
  void saysWhatIsMissing() throws IOException {
    String run = folder.resolve("run").toString();
    fails("--source and --target", "train", "--task", "translate", "--out", run);
    fails(
        "give --target",
        "train",
        "--task",
        "translate",
        "--source",
        source.toString(),
        "--out",
        run);
    Path shorter = Files.writeString(folder.resolve("short"), "eins\n");
    fails(
        "has 300 lines",
        "train",
        "--task",
        "translate",
        "--source",
        source.toString(),
        "--target",
        shorter.toString(),
        "--out",
        run);
    fails(
        "cannot be trained on translation",
        training(
            folder.resolve("other"), 1, "--set", "model={\"model\":\"causal-lm\",\"layers\":1}"));
  }
}
