package dev.jformer.run;

import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.hub.Models;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.DenoisingTranslator;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Runs of translators that write all words at once, begun with masked language models. */
@ExtendWith(Scoped.class)
class DenoisingRunTest {
  @TempDir private static Path shared;
  private static TinyData data;
  private static Path mlm;
  @TempDir private Path folder;

  @BeforeAll
  static void trainAMaskedModel() throws IOException {
    data = new TinyData(shared.resolve("data"));
    mlm = shared.resolve("mlm");
    Run.train(Configs.parse(data.json("masked"), Recipe.class), mlm, Progress.none());
  }

  private static Recipe recipe(String kind) {
    return Configs.parse(data.json(kind), Recipe.class).withModel(new DenoisingTranslator.Config());
  }

  @Test
  void beginsWithAMaskedLanguageModelIsSavedAndTranslates() throws IOException {
    Path place = folder.resolve("run");
    Recipe begun = recipe("translate").withFrom(mlm).withSteps(8);
    Run.train(begun, place, Progress.none());
    try (TrainedModel trained = TrainedModel.load(place);
        Model before = Models.load(mlm)) {
      DenoisingTranslator model = (DenoisingTranslator) trained.model();
      assertEquals(((Encoder) before).config(), model.config().encoder());
      Path source = shared.resolve("data/source.txt");
      Path target = shared.resolve("data/target.txt");
      Metrics metrics =
          trained.evaluate(EvaluationRequest.of(source, target), Progress.none()).metrics();
      assertTrue(metrics.loss() < 10 && metrics.get("lengthLoss") > 0, metrics.toString());
      assertThrows(
          RunException.class,
          () -> trained.evaluate(EvaluationRequest.of(source), Progress.none()));
    }
    try (Translator translator = Translator.load(place)) {
      List<String> texts = List.of("the cat", "", "old dog runs");
      List<String> once = translator.translate(texts);
      assertEquals(3, once.size());
      assertEquals("", once.get(1));
      assertEquals(once.get(2), translator.translate(texts.get(2)));
    }
  }

  /** What the first update changes is what was copied. */
  @Test
  void bothHalvesBeginWithTheSameBlocks() throws IOException {
    Recipe begun = recipe("translate").withFrom(mlm);
    try (PreparedData prepared = Jobs.prepare(Jobs.resolved(begun));
        Model model = Training.of(begun, prepared).build();
        Model before = Models.load(mlm)) {
      before
          .parameters()
          .forEach(
              (name, parameter) -> {
                assertSame(parameter.value(), model.parameters().get(name).value(), name);
                if (name.startsWith("trunk.")) {
                  String twin = "target." + name.substring("trunk.".length());
                  assertSame(parameter.value(), model.parameters().get(twin).value(), twin);
                }
              });
    }
  }

  @Test
  void resumesToTheBit() throws IOException {
    Recipe recipe =
        recipe("translate-loss")
            .with("model.encoder.layers", "1")
            .with("model.encoder.width", "16")
            .with("model.encoder.mixer.heads", "2");
    Losses whole = new Losses(-1);
    Run.begin(recipe, folder.resolve("whole"), false).train(whole);
    Losses first = new Losses(6);
    first.run = Run.begin(recipe, folder.resolve("parts"), false);
    first.run.train(first);
    Losses second = new Losses(-1);
    Run.reopen(folder.resolve("parts")).train(second);
    first.all.addAll(second.all);
    assertEquals(whole.all, first.all);
  }

  @Test
  void refusesModelsThatCannotBeBegunWith() throws IOException {
    Path language = folder.resolve("language");
    Run.train(Configs.parse(data.json("language"), Recipe.class), language, Progress.none());
    Recipe recipe = recipe("translate").withFrom(language);
    String message =
        assertThrows(
                RunException.class,
                () -> Run.train(recipe, folder.resolve("refused"), Progress.none()))
            .getMessage();
    assertTrue(message.contains("cannot be trained on translation"), message);
  }
}
