package dev.jformer.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.data.DataException;
import dev.jformer.data.text.TaggedTexts;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.metrics.EntityScores;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.ClassifierHead;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.TokenClassification;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenClassificationJobTest {
  @TempDir static Path shared;

  private static Recipe recipe;

  @BeforeAll
  static void train() throws IOException {
    TinyData data = new TinyData(shared.resolve("data"));
    recipe = Configs.parse(data.json("tokens"), Recipe.class).withSteps(300);
    Run.train(recipe, shared.resolve("run"), Progress.none());
  }

  private static Path file() {
    return shared.resolve("data").resolve("tagged.conll");
  }

  @Test
  void itLearnsWhatWordsAreNames() throws IOException {
    try (TrainedModel model = TrainedModel.load(shared.resolve("run"))) {
      assertEquals("token-classification", model.job().type());
      EvaluationResult result = model.evaluate(EvaluationRequest.of(file()), Progress.none());
      assertEquals("f1", result.metrics().primary().name());
      assertTrue(result.metrics().primary().value() > 0.8, result.toString());
      assertEquals(120, result.count());
      assertTrue(result.details().get("pet").contains("entities"), result.details().toString());
    }
  }

  @Test
  void theFacadeFindsEntitiesAndTheirPlaces() throws IOException {
    try (EntityRecognizer recognizer = EntityRecognizer.load(shared.resolve("run"))) {
      assertEquals(List.of("B-pet", "B-place", "I-pet", "O"), recognizer.labels());
      String text = "red mister cat sees old house new";
      List<Entity> entities = recognizer.entities(text);
      assertEquals(
          List.of("pet mister cat", "place house"),
          entities.stream().map(e -> e.type() + " " + e.text()).toList());
      for (Entity entity : entities) {
        assertEquals(entity.text(), text.substring(entity.start(), entity.end()));
        assertTrue(entity.probability() > 0.25 && entity.probability() <= 1);
      }
      assertEquals(
          List.of(List.of("O", "B-pet", "I-pet"), List.of("B-place")),
          recognizer.tags(List.of(List.of("red", "mister", "dog"), List.of("house"))));
      assertEquals(List.of(), recognizer.entities(" "));
    }
    assertThrows(IOException.class, () -> EntityRecognizer.load(shared.resolve("none")));
  }

  @Test
  void aSentenceLongerThanTheModelIsReadInWindows() throws IOException {
    List<String> words = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      words.add(i % 7 == 3 ? "house" : "red");
    }
    try (EntityRecognizer recognizer = EntityRecognizer.load(shared.resolve("run"))) {
      List<String> tags = recognizer.tags(List.of(words)).get(0);
      long right =
          IntStream.range(0, 200)
              .filter(i -> tags.get(i).equals(i % 7 == 3 ? "B-place" : "O"))
              .count();
      assertTrue(right > 180, tags.toString());
    }
  }

  @Test
  void anInterruptedTrainingEndsAsAnUninterruptedOne() throws IOException {
    Path folder = shared.resolve("stopped");
    Run run = Run.begin(recipe, folder, false);
    run.train(
        new Progress() {
          @Override
          public void step(Step step) {
            if (step.step() == 25) {
              run.stop();
            }
          }
        });
    Run.resume(folder, Progress.none());
    assertEquals(Run.best(shared.resolve("run")), Run.best(folder));
  }

  @Test
  void theLossIsTheMeanOverFirstTokensOnly() {
    TaggedTexts texts =
        TaggedTexts.of(
            List.of(
                new TaggedTexts.Sentence(List.of("ab", "c"), List.of("B-x", "O")),
                new TaggedTexts.Sentence(List.of("d"), List.of("O"))));
    try (Scope scope = Scope.open();
        Encoder model =
            new Encoder.Config()
                .with(
                    c ->
                        c.labels(2)
                            .length(16)
                            .classifier(new ClassifierHead(ClassifierHead.Input.TOKENS)))
                .build()) {
      model.train(false);
      List<TokenClassification.Example> examples =
          TokenClassification.encode(texts, new ByteTokenizer(), 16, new int[] {0, 1});
      TokenClassification task =
          new TokenClassification(model, texts.tags(), examples, examples, 2, 1);
      double expected = 0;
      int[][] targets = {{0, -1, -1, 1, -1}, {1, -1}};
      String[] inputs = {" ab c", " d"};
      for (int i = 0; i < 2; i++) {
        double[] logits =
            model
                .logits(
                    Tensor.of(inputs[i].chars().asLongStream().toArray(), 1, inputs[i].length()),
                    null)
                .toDoubles();
        for (int t = 0; t < targets[i].length; t++) {
          if (targets[i][t] >= 0) {
            double a = logits[2 * t];
            double b = logits[2 * t + 1];
            double own = targets[i][t] == 0 ? a : b;
            expected += Math.log(Math.exp(a) + Math.exp(b)) - own;
          }
        }
      }
      assertEquals(expected / 3, task.loss(0).item(), 1e-5);
      Metrics metrics =
          TokenClassification.evaluate(model, texts.tags(), examples, new EntityScores());
      assertEquals(expected / 3, metrics.loss(), 1e-5);
    }
  }

  @Test
  void tagsThatTheModelDoesNotHaveAreNamed() throws IOException {
    Path other = Files.writeString(shared.resolve("other.conll"), "a\tB-ship\n");
    try (TrainedModel model = TrainedModel.load(shared.resolve("run"))) {
      DataException fault =
          assertThrows(
              DataException.class,
              () -> model.evaluate(EvaluationRequest.of(other), Progress.none()));
      assertTrue(fault.getMessage().contains("B-ship"), fault.getMessage());
      RunException images =
          assertThrows(RunException.class, () -> model.classify(List.of("a"), List.of()));
      assertTrue(images.getMessage().contains("expected a classifier"), images.getMessage());
    }
  }

  @Test
  void heldOutSentencesMayLieInAFile() throws IOException {
    TaggedTextData data = (TaggedTextData) recipe.data();
    Path held =
        Files.writeString(shared.resolve("dev.conll"), "red\tO\ncat\tB-pet\n\ndog\tB-pet\n");
    Recipe with = recipe.withSteps(2).withData(data.withHeldOut(held.toString()));
    assertTrue(with.inputs().contains(held));
    try (PreparedData prepared = Jobs.prepare(with)) {
      Model.Config config = prepared.fit(with.model());
      try (Model model = prepared.build(config, with)) {
        DataSummary summary = prepared.summary(prepared.task(model, with, PreparedData.USUAL));
        assertEquals(2, summary.heldOut());
      }
    }
  }

  @Test
  void aTaggerBecomesAClassifierOfTextsAndBack() throws IOException {
    TinyData data = new TinyData(shared.resolve("data"));
    Recipe classify =
        Configs.parse(data.json("classify", shared.resolve("run")), Recipe.class).withSteps(2);
    Run.train(classify, shared.resolve("classifier"), Progress.none());
    try (TextClassifier classifier = TextClassifier.load(shared.resolve("classifier"))) {
      assertEquals(2, classifier.labels().size());
    }
  }
}
