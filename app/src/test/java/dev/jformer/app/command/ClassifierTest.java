package dev.jformer.app.command;

import static dev.jformer.app.command.Outcome.well;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Classifiers of images and texts, from training to prediction, as a user gives the commands. */
class ClassifierTest {
  @TempDir Path folder;

  private static void fails(String part, String... args) {
    Outcome outcome = Outcome.of(args);
    assertEquals(1, outcome.code(), Arrays.toString(args) + " ends with 1: " + outcome.out());
    assertTrue(outcome.err().contains(part), "expected '" + part + "' in: " + outcome.err());
  }

  private static JsonNode json(String text) throws IOException {
    return new JsonMapper().readTree(text);
  }

  /** Dark and bright images with noise. */
  private Path images(String name, int each) throws IOException {
    SplittableRandom random = new SplittableRandom(1);
    Path source = folder.resolve(name);
    for (String kind : List.of("bright", "dark")) {
      Files.createDirectories(source.resolve(kind));
      for (int i = 0; i < each; i++) {
        BufferedImage image = new BufferedImage(10, 8, BufferedImage.TYPE_INT_RGB);
        for (int p = 0; p < 80; p++) {
          int level = (kind.equals("dark") ? 0 : 128) + random.nextInt(128);
          image.setRGB(p % 10, p / 10, level << 16 | level << 8 | level);
        }
        ImageIO.write(image, "png", source.resolve(kind).resolve(i + ".png").toFile());
      }
    }
    return source;
  }

  private String[] training(String task, Path data, Path out, String... more) {
    List<String> args =
        new ArrayList<>(
            List.of("train", "--task", task, "--data", data.toString(), "--out", out.toString()));
    args.addAll(List.of("--quiet", "--json", "--set", "training.schedule.warmup=2"));
    args.addAll(Arrays.asList(more));
    return args.toArray(String[]::new);
  }

  private String[] imageTraining(Path data, Path out, String... more) {
    List<String> sets =
        new ArrayList<>(
            List.of(
                "--set",
                "training.steps=40",
                "--set",
                "model.size=8",
                "--set",
                "model.layers=1",
                "--set",
                "model.width=16",
                "--set",
                "training.batch=8",
                "--set",
                "data.validation=0.25",
                "--set",
                "training.evaluateEvery=20",
                "--set",
                "training.checkpointEvery=10"));
    sets.addAll(Arrays.asList(more));
    return training("images", data, out, shaped(sets));
  }

  /** Without the shape of the model if another one's is kept. */
  private static String[] shaped(List<String> options) {
    List<String> kept = new ArrayList<>(options);
    for (int i = kept.size() - 1; i > 0 && options.contains("--from"); i--) {
      if (kept.get(i).startsWith("model.")) {
        kept.subList(i - 1, i + 1).clear();
        i--;
      }
    }
    return kept.toArray(String[]::new);
  }

  @Test
  void imagesAreLearnedEvaluatedAndPredicted() throws IOException {
    Path data = images("photos", 20);
    Path run = folder.resolve("run");
    JsonNode result = json(well(imageTraining(data, run)).out());
    assertEquals("completed", result.get("ending").asText());
    JsonNode score = json(well("eval", run.toString(), "--data", data.toString(), "--json").out());
    assertEquals(40, score.get("images").asInt());
    assertTrue(score.get("accuracy").asDouble() > 0.9, score.toString());

    String dark = data.resolve("dark/3.png").toString();
    JsonNode predicted = json(well("predict", run.toString(), dark, "--json").out());
    assertTrue(predicted.get("probabilities").get("dark").asDouble() > 0.5, predicted.toString());
    double sum = 0;
    for (JsonNode p : predicted.get("probabilities")) {
      sum += p.asDouble();
    }
    assertEquals(1, sum, 1e-5);
    assertTrue(well("predict", run.toString(), dark).out().startsWith(dark + ": dark "));

    // A run of other images goes on from this one.
    Path next = folder.resolve("next");
    JsonNode again =
        json(
            well(imageTraining(data, next, "--set", "training.steps=2", "--from", run.toString()))
                .out());
    assertTrue(
        again.get("bestValidationLoss").asDouble() < 0.5, "begins where the other ended: " + again);
  }

  @Test
  void saysWhatIsWrongWithImages() throws IOException {
    Path data = images("photos", 8);
    Path run = folder.resolve("run");
    well(imageTraining(data, run, "--set", "training.steps=2"));
    Files.createDirectories(data.resolve("grey"));
    fails("class folder grey", imageTraining(data, folder.resolve("a")));
    Files.copy(data.resolve("dark/1.png"), data.resolve("grey/1.png"));
    fails(
        "a class that the model does not have: grey",
        "eval",
        run.toString(),
        "--data",
        data.toString());
    Files.writeString(data.resolve("grey/2.jpg"), "no image");
    fails("grey/2.jpg", imageTraining(data, folder.resolve("b")));
    fails("not an image", "predict", run.toString(), data.resolve("grey/2.jpg").toString());
    fails("no such file", "predict", run.toString(), folder.resolve("x.png").toString());
    fails("takes no --text", "predict", run.toString(), "--text", "hello");
    fails("nothing to classify", "predict", run.toString());
    fails("no data to measure the model on: give some with --data", "eval", run.toString());
    Path one = folder.resolve("one");
    Files.createDirectories(one);
    Files.move(data.resolve("dark"), one.resolve("dark"));
    fails("expected two or more", imageTraining(one, folder.resolve("c")));
    fails(
        "cannot be trained on images",
        imageTraining(data, folder.resolve("d"), "--set", "model={\"model\":\"causal-lm\"}"));
  }

  @Test
  void textsAreFilledInLearnedAndPredicted() throws IOException {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 60; i++) {
      lines.append("a fine and lovely film number ").append(i).append("\tgood\n");
      lines.append("a dull and boring film number ").append(i).append("\tbad\n");
    }
    Path data = Files.writeString(folder.resolve("films.tsv"), lines);
    String[] small = {
      "--set",
      "model.layers=1",
      "--set",
      "model.width=32",
      "--set",
      "model.length=16",
      "--set",
      "training.batch=8",
      "--set",
      "training.evaluateEvery=20",
      "--set",
      "data.vocabulary=300",
      "--set",
      "model.dropout=0"
    };
    Path encoder = folder.resolve("encoder");
    List<String> filling = new ArrayList<>(List.of(small));
    filling.addAll(List.of("--set", "training.steps=20"));
    well(training("mlm", data, encoder, filling.toArray(String[]::new)));
    JsonNode filled = json(well("eval", encoder.toString(), "--json").out());
    assertTrue(filled.get("loss").asDouble() > 0, filled.toString());
    fails("expected a classifier", "predict", encoder.toString(), "--text", "x");

    Path run = folder.resolve("run");
    List<String> learning = new ArrayList<>(List.of(small));
    learning.addAll(
        List.of(
            "--set",
            "training.steps=60",
            "--from",
            encoder.toString(),
            "--set",
            "training.learningRate=3e-3"));
    well(training("classify", data, run, shaped(learning)));
    JsonNode score = json(well("eval", run.toString(), "--data", data.toString(), "--json").out());
    assertEquals(120, score.get("texts").asInt());
    assertTrue(score.get("accuracy").asDouble() > 0.95, score.toString());
    String out = well("predict", run.toString(), "--text", "a dull and boring film").out();
    assertTrue(out.contains(": bad "), out);

    Path broken = Files.writeString(folder.resolve("broken.tsv"), "no label here\n");
    fails("line 1 has no tab", training("classify", broken, folder.resolve("a")));
    Path other = Files.writeString(folder.resolve("other.tsv"), "so so\tmiddling\n");
    fails("middling", "eval", run.toString(), "--data", other.toString());
    fails("expected two or more", training("classify", other, folder.resolve("b")));
  }

  @Test
  void tokenFormersGrowAndLearnOn() throws IOException {
    Path text = folder.resolve("text.txt");
    Files.writeString(text, "All happy families are alike.\n".repeat(100));
    Path run = folder.resolve("small");
    String[] args =
        training(
            "text",
            text,
            run,
            "--set",
            "training.steps=10",
            "--set",
            "model.layers=1",
            "--set",
            "model.width=16",
            "--set",
            "model.mixer.heads=2",
            "--set",
            "model.length=16",
            "--set",
            "training.batch=4",
            "--set",
            "training.evaluateEvery=10",
            "--set",
            "data.tokenizer=byte",
            "--set",
            "data.endings=[]",
            "--set",
            "model.projection={\"type\":\"tokenformer\"}",
            "--set",
            "model.ffn={\"type\":\"pattention\"}",
            "--set",
            "model.dropout=0");
    double before = json(well(args).out()).get("bestValidationLoss").asDouble();
    Path larger = folder.resolve("larger");
    String said = well("grow", run.toString(), "--to", "2x", "--out", larger.toString()).out();
    assertTrue(said.contains("parameters after"), said);
    JsonNode same =
        json(well("eval", larger.toString(), "--data", text.toString(), "--json").out());
    JsonNode small = json(well("eval", run.toString(), "--data", text.toString(), "--json").out());
    assertEquals(small.get("loss").asDouble(), same.get("loss").asDouble(), 1e-5);
    JsonNode on =
        json(
            well(
                    "train",
                    "--recipe",
                    larger.resolve("recipe.json").toString(),
                    "--from",
                    larger.toString(),
                    "--data",
                    text.toString(),
                    "--out",
                    folder.resolve("on").toString(),
                    "--quiet",
                    "--json")
                .out());
    assertTrue(on.get("bestValidationLoss").asDouble() < before, on + " against " + before);
    fails("expected a whole factor", "grow", run.toString(), "--to", "twice");
    String[] again = {"grow", run.toString(), "--to", "2x", "--out", larger.toString()};
    fails("holds a model already", again);
  }
}
