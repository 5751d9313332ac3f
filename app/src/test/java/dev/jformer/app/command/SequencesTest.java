package dev.jformer.app.command;

import static dev.jformer.app.command.Outcome.refused;
import static dev.jformer.app.command.Outcome.well;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Classifiers of long sequences, pretrained on their own data, as a user gives the commands. */
class SequencesTest {
  @TempDir Path folder;

  private static double accuracy(String... args) throws IOException {
    JsonNode result = new JsonMapper().readTree(well(args).out());
    return result.findValue("accuracy").doubleValue();
  }

  private String[] train(Path run, String... more) {
    List<String> all = new ArrayList<>(List.of("train", "--quiet", "--out", run.toString()));
    boolean shaped = List.of(more).contains("--from");
    for (String field : List.of("model.layers=1", "model.width=16", "training.batch=16")) {
      if (!shaped || !field.startsWith("model.")) {
        all.addAll(List.of("--set", field));
      }
    }
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  @Test
  void listsArePretrainedLearnedEvaluatedAndPredicted() throws IOException {
    Path run = folder.resolve("run");
    String problem = "data.problem={type: list-ops, longest: 12, depth: 2, operands: 3}";
    String[] command =
        train(
            run,
            "--task",
            "sequences",
            "--set",
            problem,
            "--set",
            "data.heldOut=50",
            "--steps",
            "12",
            "--pretrain",
            "causal",
            "--set",
            "pretraining.steps=6");
    well(command);
    assertTrue(
        Files.readString(run.resolve("config.json"))
            .replaceAll("\\s", "")
            .contains("\"causal\":true"));
    assertEquals(
        6,
        Files.readAllLines(run.resolve("pretraining.jsonl")).stream()
            .filter(l -> l.contains("learningRate"))
            .count());
    double accuracy = accuracy("eval", run.toString(), "--json");
    assertTrue(accuracy >= 0 && accuracy <= 1);
    String found = well("predict", run.toString(), "--text", "[MAX 2 9 [MIN 4 7 ] ]").out();
    assertTrue(found.contains("[MAX 2 9"), found);
    String unknown = refused("predict", run.toString(), "--text", "[MAX 2 x ]");
    assertTrue(unknown.contains("'x' is no symbol of list-ops"), unknown);
    String tooLong = refused("predict", run.toString(), "--text", "1 ".repeat(13));
    assertTrue(tooLong.contains("expected 1 to 12"), tooLong);
    String data = refused("eval", run.toString(), "--data", run.resolve("config.json").toString());
    assertTrue(data.contains("leave out --data"), data);
    Path next = folder.resolve("next");
    well(
        train(
            next,
            "--task",
            "sequences",
            "--set",
            problem,
            "--from",
            run.toString(),
            "--steps",
            "2"));
    well("train", "--resume", next.toString(), "--steps", "3", "--quiet");
    String resumed = refused("train", "--resume", next.toString(), "--pretrain", "masked");
    assertTrue(resumed.contains("--pretrain"), resumed);
    Path small = folder.resolve("small");
    well("compress", run.toString(), "--with", "weight-int8", "--out", small.toString());
    assertEquals(accuracy, accuracy("eval", small.toString(), "--json"), 0.2);
  }

  @Test
  void imagesAreClassifiedPixelByPixel() throws IOException {
    SplittableRandom random = new SplittableRandom(1);
    Path images = folder.resolve("images");
    for (String kind : List.of("bright", "dark")) {
      Path place = Files.createDirectories(images.resolve(kind));
      for (int i = 0; i < 30; i++) {
        BufferedImage image = new BufferedImage(6, 6, BufferedImage.TYPE_INT_RGB);
        for (int p = 0; p < 36; p++) {
          int level = (kind.equals("dark") ? 0 : 96) + random.nextInt(160);
          image.setRGB(p % 6, p / 6, level << 16 | level << 8 | level);
        }
        ImageIO.write(image, "png", place.resolve(i + ".png").toFile());
      }
    }
    Path run = folder.resolve("run");
    well(
        train(
            run,
            "--task",
            "pixels",
            "--data",
            images.toString(),
            "--set",
            "data.side=6",
            "--set",
            "data.levels=8",
            "--set",
            "data.validation=0.2",
            "--set",
            "training.learningRate=0.01",
            "--set",
            "training.schedule.warmup=5",
            "--steps",
            "60",
            "--pretrain",
            "masked",
            "--set",
            "pretraining.steps=4"));
    double accuracy = accuracy("eval", run.toString(), "--data", images.toString(), "--json");
    assertTrue(accuracy > 0.9, "bright and dark are told apart: " + accuracy);
    String found = well("predict", run.toString(), images.resolve("dark/3.png").toString()).out();
    assertTrue(found.contains("dark"), found);
    String text = refused("predict", run.toString(), "--text", "hello");
    assertTrue(text.contains("takes no --text"), text);
  }

  @Test
  void whatCannotBePretrainedIsRefused() throws IOException {
    Path run = folder.resolve("run");
    Path texts = Files.write(folder.resolve("text.txt"), List.of("a text ".repeat(300)));
    String message =
        refused(
            "train",
            "--data",
            texts.toString(),
            "--pretrain",
            "masked",
            "--steps",
            "2",
            "--out",
            run.toString());
    assertTrue(message.contains("classification of texts"), message);
    assertFalse(Files.exists(run.resolve("recipe.json")));
    String kind =
        refused("train", "--task", "sequences", "--pretrain", "twice", "--out", run.toString());
    assertTrue(kind.contains("twice"), kind);
    String problem =
        refused(
            "train",
            "--task",
            "sequences",
            "--set",
            "data.problem=arithmetic",
            "--out",
            run.toString());
    assertTrue(problem.contains("list-ops or pathfinder"), problem);
  }
}
