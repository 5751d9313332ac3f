package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.compress.quantize.StaticQuantization;
import dev.jformer.config.Configs;
import dev.jformer.hub.Models;
import dev.jformer.model.Model;
import dev.jformer.run.CalibrationBatches;
import dev.jformer.run.ClassNames;
import dev.jformer.run.Progress;
import dev.jformer.run.TrainedModel;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code jformer compress} as a user gives it. */
class CompressTest {
  @TempDir Path folder;
  private Path text;

  private static String[] strings(Object... args) {
    return Arrays.stream(args).map(Object::toString).toArray(String[]::new);
  }

  private static Outcome well(Object... args) {
    Outcome outcome = Outcome.of(strings(args));
    assertEquals(0, outcome.code(), Arrays.toString(args) + ": " + outcome.err());
    return outcome;
  }

  private void fails(String part, Object... args) throws IOException {
    List<String> before = files();
    Outcome outcome = Outcome.of(strings(args));
    assertEquals(1, outcome.code(), Arrays.toString(args) + " ends with 1: " + outcome.out());
    assertTrue(outcome.err().contains(part), "expected '" + part + "' in: " + outcome.err());
    assertFalse(outcome.err().contains("unexpected"), outcome.err());
    assertEquals(before, files(), "a command that fails leaves nothing behind");
  }

  private List<String> files() throws IOException {
    try (Stream<Path> tree = Files.walk(folder)) {
      return tree.map(Path::toString).sorted().toList();
    }
  }

  @BeforeEach
  void text() throws IOException {
    text = folder.resolve("text.txt");
    Files.writeString(
        text, "All happy families are alike; each unhappy one is so in its way.\n".repeat(60));
  }

  private Path language(String name, String... more) {
    Path run = folder.resolve(name);
    Stream<Object> settings =
        Stream.of("layers=1", "width=64", "mixer.heads=2", "length=32")
            .flatMap(setting -> Stream.of("--set", "model." + setting));
    Object[] args =
        Stream.of(
                Stream.<Object>of("train", "--data", text, "--out", run, "--recipe", "shakespeare"),
                Stream.<Object>of("--quiet", "--json", "--steps", "20"),
                Stream.<Object>of("--set", "training.schedule.warmup=2"),
                settings,
                Arrays.stream(more))
            .flatMap(stream -> stream)
            .toArray();
    well(args);
    return run;
  }

  @Test
  void languageModelsBecomeSmallerAndGoOnWorking() throws IOException {
    Path run = language("run");
    byte[] weights = Files.readAllBytes(run.resolve("model.safetensors"));
    for (String method :
        List.of("llm-int8", "weight-int8", "{\"type\":\"weight-int4\",\"group\":32}")) {
      Path out = folder.resolve("out" + method.length());
      Outcome outcome =
          well(
              "compress", run, "--with", method, "--out", out, "--data", text, "--json", "--quiet");
      JsonNode figures = new JsonMapper().readTree(outcome.out());
      assertArrayEquals(weights, Files.readAllBytes(run.resolve("model.safetensors")));
      assertEquals(
          Files.size(out.resolve("model.safetensors")),
          figures.path("bytes on disk").path("after").asLong());
      double smaller =
          figures.path("bytes on disk").path("after").asDouble()
              / figures.path("bytes on disk").path("before").asDouble();
      assertTrue(smaller < 0.4, outcome.out());
      double before = figures.path("loss (nats)").path("before").asDouble();
      double after = figures.path("loss (nats)").path("after").asDouble();
      assertEquals(before, after, 0.1, outcome.out());
      assertTrue(figures.path("tokens/s, decoding one text").path("after").asDouble() > 0);
      assertTrue(figures.path("bytes of weights in memory").path("after").asDouble() > 0);

      JsonNode evaluated =
          new JsonMapper().readTree(well("eval", out, "--data", text, "--json").out());
      assertEquals(after, evaluated.path("loss").asDouble(), 1e-3);
      assertFalse(
          well("generate", out, "--prompt", "All", "--tokens", "5", "--seed", "1").out().isBlank());
      fails("already compressed", "compress", out, "--with", method, "--out", folder.resolve("x"));
      fails("plain linear layers", "export", out, "--out", folder.resolve("hf"));
    }
    Path twice = folder.resolve("out8");
    fails("holds a model already", "compress", run, "--with", "llm-int8", "--out", twice);
    fails("would be replaced", "compress", run, "--with", "llm-int8", "--out", run, "--overwrite");
    Path other = folder.resolve("other");
    Path letters = Files.writeString(folder.resolve("no-text.bin"), "");
    fails("no-text", "compress", run, "--with", "llm-int8", "--out", other, "--data", letters);
    fails("'llm-int8'", "compress", run, "--with", "llm-int9", "--out", other);
    fails(
        "threshold",
        "compress",
        run,
        "--with",
        "{\"type\":\"llm-int8\",\"threshold\":-2}",
        "--out",
        other);
    fails(
        "weight-int8 needs a model whose projection is 'linear'",
        "compress",
        run,
        "--with",
        "llm-int8,weight-int8",
        "--out",
        other);
    fails("no such file", "compress", run, "--with", "llm-int8", "--out", other, "--data", "none");
    fails(
        "--calibration is 0",
        "compress",
        run,
        "--with",
        "llm-int8",
        "--out",
        other,
        "--calibration",
        0);
    Files.writeString(folder.resolve("empty"), "");
    String table = well("compress", run, "--with", "llm-int8", "--out", other, "--quiet").out();
    assertTrue(table.contains("before") && table.contains("ratio"), table);
    assertTrue(table.contains("loss (nats)"), "the text held out is there: " + table);
  }

  @Test
  void whatServedTrainingOnlyIsFoldedFirst() throws IOException {
    Path run = language("run", "--set", "model.projection.type=sigma-reparam");
    Path out = folder.resolve("out");
    well("compress", run, "--with", "llm-int8", "--out", out, "--quiet");
    assertTrue(Files.readString(out.resolve("config.json")).contains("llm-int8"));
  }

  private Path model(String name, String json) throws IOException {
    Path place = folder.resolve(name);
    try (Model model = Configs.parse(json.replace('\'', '"'), Model.Config.class).build()) {
      Models.save(model, place);
    }
    return place;
  }

  private Path images() throws IOException {
    for (String kind : List.of("bright", "dark")) {
      Path place = Files.createDirectories(folder.resolve("images").resolve(kind));
      for (int i = 0; i < 4; i++) {
        BufferedImage image = new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB);
        image.setRGB(i, i, kind.equals("dark") ? 0x101010 : 0xf0f0f0);
        ImageIO.write(image, "png", place.resolve(i + ".png").toFile());
      }
    }
    return folder.resolve("images");
  }

  @Test
  void classifiersBecomeSmaller() throws IOException {
    Path pictures = images();
    Path vit =
        model(
            "vit",
            "{'model':'vit','size':8,'classes':2,'layers':1,'width':32,'mixer':{'heads':2}}");
    new ClassNames(List.of("bright", "dark")).save(vit);
    Path out = folder.resolve("vit8");
    String said =
        well("compress", vit, "--with", "llm-int8", "--out", out, "--data", pictures, "--quiet")
            .out();
    assertTrue(said.contains("right (%)") && said.contains("images/s"), said);
    assertTrue(Files.exists(out.resolve("classes.json")));
    well("predict", out, pictures.resolve("dark").resolve("0.png"));

    Path texts =
        model(
            "texts",
            "{'model':'encoder','vocab':258,'labels':2,'layers':1,'width':32,'length':16,"
                + "'mixer':{'heads':2}}");
    new ClassNames(List.of("0", "1")).save(texts);
    new dev.jformer.data.tokenizer.ByteTokenizer().save(texts);
    Path labelled = folder.resolve("texts.tsv");
    Files.writeString(labelled, "a good one\t1\nnot this\t0\nneither\t0\n");
    Path smaller = folder.resolve("texts8");
    well("compress", texts, "--with", "llm-int8", "--out", smaller, "--data", labelled, "--quiet");
    well("predict", smaller, "--text", "good");
  }

  /**
   * Calibration runs the model on data of its own kind, in batches of which there are N at most.
   */
  @Test
  void calibrationDataIsReadAsTheModelTakesIt() throws IOException {
    Path vit =
        model(
            "vit",
            "{'model':'vit','size':8,'classes':2,'layers':1,'width':32,'mixer':{'heads':2}}");
    Path filling =
        model(
            "filling",
            "{'model':'encoder','vocab':258,'layers':1,'width':32,'length':16,'mixer':{'heads':2}}");
    new dev.jformer.data.tokenizer.ByteTokenizer().save(filling);
    try (TrainedModel pictures = TrainedModel.load(vit);
        TrainedModel encoder = TrainedModel.load(filling)) {
      try (CalibrationBatches data = calibration(pictures, images())) {
        StaticQuantization.of(pictures.model(), () -> data.run(pictures.model())).close();
        var wrong = assertThrows(IllegalArgumentException.class, () -> data.run(encoder.model()));
        assertTrue(wrong.getMessage().contains("cannot calibrate"), wrong.getMessage());
      }
      try (CalibrationBatches data = calibration(encoder, text)) {
        StaticQuantization.of(encoder.model(), () -> data.run(encoder.model())).close();
      }
      Path empty = folder.resolve("empty.txt");
      Files.writeString(empty, "");
      assertThrows(RuntimeException.class, () -> calibration(encoder, empty));
      assertThrows(Exception.class, () -> calibration(pictures, text));
    }
  }

  private static CalibrationBatches calibration(TrainedModel model, Path data) throws IOException {
    return model.calibration(data, List.of(), 2, Progress.none());
  }
}
