package dev.jformer.studies.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.run.Progress;
import dev.jformer.run.Recipe;
import dev.jformer.run.Run;
import dev.jformer.studies.Watcher;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Comparisons on every kind of data, with techniques of training and of compression. */
class AnyDataComparisonTest {
  private static final String SMALL = "\"layers\":1,\"width\":16,\"mixer\":{\"heads\":2}";
  private static final String TRAINING =
      "\"training\":{\"batch\":4,\"learningRate\":0.003,\"steps\":4}";

  @TempDir private Path folder;

  private List<Result> compare(String recipe, String... techniques) throws IOException {
    return compare(Configs.parse(recipe.replace('\'', '"'), Recipe.class), techniques);
  }

  private List<Result> compare(Recipe recipe, String... techniques) throws IOException {
    return Comparison.of(recipe)
        .with(techniques)
        .budget(Budget.ofSteps(4))
        .run(
            folder.resolve("compare"),
            new Comparison.Surroundings(Progress.none(), Watcher.NONE, "", "", false))
        .results();
  }

  private String json(String data, String model) {
    return "{'data':{" + data + "},'model':{" + model + "}," + TRAINING.replace('"', '\'') + "}";
  }

  private String file(String name, String content) throws IOException {
    return Files.writeString(folder.resolve(name), content).toString();
  }

  private static void check(List<Result> results, String metric, int count) {
    assertEquals(count, results.size());
    for (Result result : results) {
      assertTrue(Double.isFinite(result.metric(metric).value()), result.name());
      assertTrue(result.bytes() > 0 && result.trainingSpeed() > 0, result.name());
    }
  }

  private static Result named(List<Result> results, String name) {
    return results.stream().filter(r -> r.name().equals(name)).findFirst().orElseThrow();
  }

  private String corpus() throws IOException {
    return file("text.txt", "The cat sat on the mat, and the dog lay beside it. ".repeat(80));
  }

  @Test
  void text() throws Exception {
    List<Result> results =
        compare(
            json(
                "'type':'text','source':'" + corpus() + "'",
                "'model':'causal-lm','length':16," + SMALL.replace('"', '\'')),
            "flow",
            "weight-int8",
            "flow+llm-int8",
            "ptq");
    check(results, "loss", 5);
    assertTrue(named(results, "weight-int8").bytes() < named(results, "base").bytes());
    assertNotEquals(
        named(results, "base").metric("loss").value(),
        named(results, "weight-int8").metric("loss").value(),
        "rounded weights are other weights");
    assertTrue(named(results, "base").inference().writtenTokens() > 0);
  }

  @Test
  void maskedText() throws Exception {
    List<Result> results =
        compare(
            json(
                "'type':'text','source':'" + corpus() + "'",
                "'model':'encoder','length':16," + SMALL.replace('"', '\'')),
            "linformer",
            "weight-int8");
    check(results, "loss", 3);
  }

  @Test
  void labelledTexts() throws Exception {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 40; i++) {
      lines.append(i % 2 == 0 ? "good film " : "bad film ").append(i).append('\t');
      lines.append(i % 2 == 0 ? "yes" : "no").append('\n');
    }
    List<Result> results =
        compare(
            json(
                "'type':'labelled-text','validation':0.25,'source':'"
                    + file("texts.tsv", lines.toString())
                    + "'",
                "'model':'encoder','length':24," + SMALL.replace('"', '\'')),
            "alibi",
            "ptq");
    check(results, "accuracy", 3);
  }

  @Test
  void images() throws Exception {
    for (int i = 0; i < 20; i++) {
      Path place = folder.resolve("images").resolve(i % 2 == 0 ? "red" : "blue");
      Files.createDirectories(place);
      BufferedImage image = new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB);
      for (int p = 0; p < 64; p++) {
        image.setRGB(p % 8, p / 8, (i % 2 == 0 ? Color.RED : Color.BLUE).getRGB() + i * p);
      }
      ImageIO.write(image, "png", place.resolve(i + ".png").toFile());
    }
    List<Result> results =
        compare(
            json(
                "'type':'images','validation':0.3,'source':'" + folder.resolve("images") + "'",
                "'model':'vit','size':8,'patch':4," + SMALL.replace('"', '\'')),
            "pooling",
            "weight-int8",
            "magnitude");
    check(results, "accuracy", 4);
    assertTrue(named(results, "base").inference().readUnits() > 0);
  }

  @Test
  void series() throws Exception {
    StringBuilder lines = new StringBuilder("date,a,b\n");
    for (int i = 0; i < 200; i++) {
      lines.append(
          String.format(
              Locale.ROOT,
              "2024-01-%02d %02d:00,%.3f,%.3f%n",
              1 + i / 24,
              i % 24,
              Math.sin(i / 4.0),
              Math.cos(i / 3.0)));
    }
    List<Result> results =
        compare(
            json(
                "'type':'series','source':'" + file("series.csv", lines.toString()) + "'",
                "'model':'itransformer','lookBack':8,'horizon':4," + SMALL.replace('"', '\'')),
            "flow",
            "weight-int8");
    assertEquals(3, results.size());
    for (Result result : results) {
      assertTrue(Double.isFinite(result.cost().value()), result.name());
    }
  }

  @Test
  void translation() throws Exception {
    String source = "one dog\ntwo dogs\none cat\ntwo cats\n".repeat(6);
    String target = "ein Hund\nzwei Hunde\neine Katze\nzwei Katzen\n".repeat(6);
    List<Result> results =
        compare(
            json(
                "'type':'translation','tokenizer':'byte','validation':0.25,'source':'"
                    + file("en.txt", source)
                    + "','target':'"
                    + file("de.txt", target)
                    + "'",
                "'model':'encoder-decoder','encoderLayers':1,'decoderLayers':1,'width':16,"
                    + "'length':32,'mixer':{'heads':2}"),
            "alibi",
            "weight-int8");
    assertEquals(3, results.size());
    for (Result result : results) {
      assertTrue(Double.isFinite(result.cost().value()), result.name());
    }
  }

  /** A comparison used to train the base's loss and to begin from nothing, whatever the recipe. */
  @Test
  void honoursTheObjectiveAndThePretrainedStart() throws Exception {
    Recipe plain =
        Configs.parse(
            json(
                    "'type':'text','source':'" + corpus() + "'",
                    "'model':'causal-lm','length':16," + SMALL.replace('"', '\''))
                .replace('\'', '"'),
            Recipe.class);
    Recipe consistent = plain.with("objective", "{\"type\":\"consistency\"}");
    List<Result> twice = compare(consistent, "alibi");
    List<Result> once = compare(plain, "alibi");
    for (Result result : twice) {
      double ratio = result.flops() / named(once, result.name()).flops();
      assertEquals(2, ratio, 1e-6, "two passes of " + result.name());
    }
    Path trained = folder.resolve("trained");
    Run.train(plain.withSteps(40), trained, Progress.none());
    double before = Run.evaluate(trained, Path.of(corpus())).metrics().loss();
    double untrained = named(once, "base").metric("loss").value();
    assertTrue(before < untrained - 0.5, before + " after training, " + untrained + " without");
    Recipe further = plain.withFrom(trained).with("training.learningRate", "1e-6").withSteps(4);
    Result base = compare(further, "weight-int8").get(0);
    assertEquals(before, base.metric("loss").value(), 0.2, "begins where the model before ended");
  }

  /** Data that is made ready has files of the names that models have. */
  @Test
  void leavesAModelInItsFolderAlone() throws Exception {
    Path place = Files.createDirectories(folder.resolve("compare"));
    Path tokenizer = Files.writeString(place.resolve("tokenizer.json"), "mine");
    compare(
        json(
            "'type':'text','source':'" + corpus() + "'",
            "'model':'causal-lm','length':16," + SMALL.replace('"', '\'')),
        "alibi");
    assertEquals("mine", Files.readString(tokenizer));
  }

  @Test
  void leavesOutWhatCannotBeCompressedAndSaysWhy() throws Exception {
    Recipe recipe =
        Configs.parse(
            json(
                    "'type':'text','source':'" + corpus() + "'",
                    "'model':'causal-lm','length':16," + SMALL.replace('"', '\''))
                .replace('\'', '"'),
            Recipe.class);
    ComparisonResult result =
        Comparison.of(recipe)
            .with("unite", "alibi")
            .budget(Budget.ofSteps(2))
            .run(
                folder.resolve("compare"),
                new Comparison.Surroundings(Progress.none(), Watcher.NONE, "", "", false));
    assertEquals(List.of("base", "alibi"), result.results().stream().map(Result::name).toList());
    assertTrue(
        result.evidence().notes().stream().anyMatch(note -> note.startsWith("unite was left out")),
        "" + result.evidence().notes());
  }
}
