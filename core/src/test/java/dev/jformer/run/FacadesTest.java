package dev.jformer.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.data.series.Series;
import dev.jformer.decode.Generator;
import dev.jformer.decode.Sampling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What was trained is loaded, used and closed in the same way, whatever its job. */
class FacadesTest {
  private static final String[] KINDS = {
    "language", "masked", "classify", "images", "translate-loss", "forecast"
  };

  @TempDir static Path shared;

  @BeforeAll
  static void train() throws IOException {
    TinyData data = new TinyData(shared.resolve("data"));
    for (String kind : KINDS) {
      Run.train(
          Configs.parse(data.json(kind), Recipe.class), shared.resolve(kind), Progress.none());
    }
  }

  private static Path data(String name) {
    return shared.resolve("data").resolve(name);
  }

  @Test
  void aLanguageModelStreamsText() throws IOException {
    Generator.Request request = Sampling.of(0.8).maxTokens(12);
    try (LanguageModel model = LanguageModel.load(shared.resolve("language"))) {
      List<String> pieces = new ArrayList<>();
      model.generate("red cat", request).forEach(pieces::add);
      assertTrue(pieces.size() > 1, "it comes in pieces: " + pieces);
      String text = String.join("", pieces);
      assertEquals(text, model.generate("red cat", request).text());
      List<String> iterated = new ArrayList<>();
      for (String piece : model.generate("red cat", request)) {
        iterated.add(piece);
      }
      assertEquals(pieces, iterated);
      assertEquals(
          List.of(text, model.generate("old dog", request).text()),
          model.generate(List.of("red cat", "old dog"), request));
      List<String> together =
          IntStream.range(0, 8)
              .parallel()
              .mapToObj(i -> model.generate("red cat", request).text())
              .distinct()
              .toList();
      assertEquals(List.of(text), together, "threads may share it");
    }
  }

  @Test
  void aTextClassifierKnowsItsLabels() throws IOException {
    try (TextClassifier classifier = TextClassifier.load(shared.resolve("classify"))) {
      assertEquals(Set.of("yes", "no"), new HashSet<>(classifier.labels()));
      Classification one = classifier.classify("the cat is good");
      assertEquals(1, one.predictions().stream().mapToDouble(Prediction::probability).sum(), 1e-5);
      assertEquals(one.top(1).get(0), one.best());
      assertTrue(one.top(2).get(0).probability() >= one.top(2).get(1).probability());
      assertEquals(
          List.of(one, classifier.classify("a dog is bad")),
          classifier.classify(List.of("the cat is good", "a dog is bad")));
    }
  }

  @Test
  void anImageClassifierSeesDarkAndBright() throws IOException {
    try (ImageClassifier classifier = ImageClassifier.load(shared.resolve("images"))) {
      Path dark = data("images/dark/3.png");
      assertEquals("dark", classifier.classify(dark).best().label());
      assertEquals(List.of("bright", "dark"), classifier.labels());
      assertEquals(
          List.of("dark", "bright"),
          classifier.classify(List.of(dark, data("images/bright/3.png"))).stream()
              .map(c -> c.best().label())
              .toList());
    }
  }

  @Test
  void aTranslatorTranslatesOneTextOrMany() throws IOException {
    try (Translator translator = Translator.load(shared.resolve("translate-loss"), 2)) {
      String one = translator.translate("red cat runs");
      assertEquals(List.of(one, ""), translator.translate(List.of("red cat runs", " ")));
    }
  }

  @Test
  void aForecasterGivesTimesValuesAndBands() throws IOException {
    Path csv = data("series.csv");
    try (Forecaster forecaster = Forecaster.load(shared.resolve("forecast"), 0.8)) {
      SeriesForecast next = forecaster.forecast(csv);
      assertEquals(List.of("a", "b"), next.columns());
      assertEquals(6, next.rows().size());
      assertEquals("2024-01-13T12:00", next.times().get(0).toString());
      for (int i = 0; i < 6; i++) {
        assertTrue(next.lower().get(i).get(0) < next.rows().get(i).get(0));
        assertTrue(next.upper().get(i).get(1) > next.rows().get(i).get(1));
      }
      assertEquals(6, next.column("b").size());
      assertThrows(IllegalArgumentException.class, () -> next.column("c"));
      Series series = forecaster.read(csv);
      assertEquals(next, forecaster.forecast(series));
      SeriesForecast before = forecaster.forecast(series, 100);
      assertEquals(series.time(100), before.times().get(0));
      assertThrows(IllegalArgumentException.class, () -> forecaster.forecast(series, 20));
    }
  }

  @Test
  void aFolderOfAnotherKindIsRefusedInWords() {
    String message =
        assertThrows(RunException.class, () -> LanguageModel.load(shared.resolve("images")))
            .getMessage();
    assertTrue(message.endsWith("holds a vit: expected a language model"), message);
    assertThrows(RunException.class, () -> TextClassifier.load(shared.resolve("masked")));
    assertThrows(RunException.class, () -> ImageClassifier.load(shared.resolve("language")));
    assertThrows(RunException.class, () -> Translator.load(shared.resolve("language")));
    assertThrows(RunException.class, () -> Forecaster.load(shared.resolve("language")));
  }

  @Test
  void everyJobMeasuresWhatItTrained() throws IOException {
    EvaluationResult text = Run.evaluate(shared.resolve("language"), EvaluationRequest.heldOut());
    assertEquals("tokens", text.unit());
    assertEquals(
        Run.best(shared.resolve("language")),
        text.metrics().loss(),
        1e-4,
        "all of what is held out");
    assertEquals(Math.exp(text.metrics().loss()), text.metrics().get("perplexity"), 1e-9);
    assertTrue(Run.evaluate(shared.resolve("masked"), data("text.txt")).metrics().loss() < 6);
    EvaluationResult images = Run.evaluate(shared.resolve("images"), data("images"));
    assertEquals(40, images.count());
    assertTrue(images.metrics().get("accuracy") > 0.8);
    EvaluationResult labelled = Run.evaluate(shared.resolve("classify"), data("labelled.tsv"));
    assertEquals(80, labelled.count());
    EvaluationResult translated =
        Run.evaluate(
            shared.resolve("translate-loss"),
            EvaluationRequest.of(data("source.txt"), data("target.txt")).withBeam(1));
    assertEquals("bleu", translated.metrics().primary().name());
    assertEquals(120, translated.count());
    EvaluationResult forecast = Run.evaluate(shared.resolve("forecast"), data("series.csv"));
    assertTrue(forecast.metrics().get("mae") > 0);
    assertThrows(
        RunException.class,
        () -> Run.evaluate(shared.resolve("classify"), EvaluationRequest.heldOut()));
  }

  @Test
  void calibrationRunsModelsOnTheirOwnKindOfData() throws IOException {
    for (String[] kind :
        new String[][] {
          {"language", "text.txt"},
          {"masked", "text.txt"},
          {"classify", "labelled.tsv"},
          {"images", "images"}
        }) {
      try (TrainedModel model = TrainedModel.load(shared.resolve(kind[0]));
          CalibrationBatches batches =
              model.calibration(data(kind[1]), List.of(), 2, Progress.none())) {
        batches.run(model.model());
        if (!kind[0].equals("masked")) {
          assertTrue(Double.isFinite(batches.loss(model.model()).item()), kind[0]);
        }
        assertTrue(model.passes().isPresent());
      }
    }
    try (TrainedModel model = TrainedModel.load(shared.resolve("forecast"))) {
      assertThrows(
          RunException.class,
          () -> model.calibration(data("series.csv"), List.of(), 2, Progress.none()));
    }
  }

  @Test
  void aDerivedModelKeepsWhatBelongsToIt() throws IOException {
    Path copy = shared.resolve("copy");
    try (TrainedModel model = TrainedModel.load(shared.resolve("classify"))) {
      DerivedModelFolder.save(model.model(), model.folder(), copy);
    }
    assertTrue(Files.exists(copy.resolve("classes.json")));
    try (TextClassifier classifier = TextClassifier.load(copy)) {
      assertFalse(classifier.classify("good").predictions().isEmpty());
    }
    assertEquals("", Recipe.read(copy.resolve("recipe.json")).from());
  }
}
