package dev.jformer.nas;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.ConfigException;
import dev.jformer.data.text.LabelledTexts;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.Encoder;
import dev.jformer.run.LabelledTextData;
import dev.jformer.run.PreparedData;
import dev.jformer.run.Recipe;
import dev.jformer.run.RunException;
import dev.jformer.run.TextClassificationJob;
import dev.jformer.testing.Scoped;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class StudentSearchTest {
  private static Encoder.Config encoder(int layers, int width) {
    return new Encoder.Config()
        .with(c -> c.length(24))
        .withStack(s -> s.layers(layers).width(width))
        .withBlock(b -> b.mixer(new SoftmaxAttention.Config(2, 0)));
  }

  private static Recipe recipe() {
    TrainingConfig training = new TrainingConfig().with(t -> t.batch(6).seed(4));
    return new Recipe(encoder(1, 8), new LabelledTextData(), training);
  }

  private static PreparedData data() {
    List<String> texts = new ArrayList<>();
    List<Integer> labels = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      texts.add((i % 2 == 0 ? "good " : "bad ") + "x".repeat(1 + i % 7));
      labels.add(i % 2);
    }
    return TextClassificationJob.of(
        new LabelledTexts(texts, labels, List.of("no", "yes")), new ByteTokenizer());
  }

  private static ConfigurationSpace space() {
    Map<String, List<String>> choices = new LinkedHashMap<>();
    choices.put("model.layers", List.of("1", "2", "3"));
    choices.put("model.width", List.of("8", "12", "16"));
    choices.put("model.mixer.heads", List.of("2", "3")); // 3 does not divide 8 and 16
    return new ConfigurationSpace(choices);
  }

  @Test
  void findsTheBestThatFitsAndSkipsWhatCannotBeBuilt() {
    try (PreparedData data = data();
        StudentSearch search =
            new StudentSearch(recipe(), data, encoder(4, 24), new ParameterCount())
                .withMostParameters(9000)) {
      var found = search.run(space(), new AgeingEvolution(200, 10, 3, 1), done -> {});
      double best = 0;
      for (int layers = 1; layers <= 3; layers++) {
        for (int width : new int[] {8, 12, 16}) {
          try (Encoder model = ((Encoder.Config) data.fit(encoder(layers, width))).build()) {
            long count = model.parameterCount();
            best = count <= 9000 ? Math.max(best, (double) count) : best;
          }
        }
      }
      assertEquals(best, found.get(0).score());
      assertEquals(best, (double) search.parameters(found.get(0).chosen()));
      assertTrue(
          found.stream()
              .filter(s -> s.chosen().get("model.mixer.heads").equals("3"))
              .filter(s -> !s.chosen().get("model.width").equals("12"))
              .allMatch(s -> s.score() == Double.NEGATIVE_INFINITY));
      Recipe student = search.recipe(found.get(0).chosen());
      assertEquals(
          found.get(0).chosen().get("model.width"),
          "" + ((Encoder.Config) student.model()).width());
    }
  }

  @Test
  void aScoreIsTheSameEachTime() {
    try (PreparedData data = data();
        StudentSearch search = new StudentSearch(recipe(), data, encoder(3, 16), new Diswot())) {
      double once = search.score(encoder(2, 12));
      assertEquals(once, search.score(encoder(2, 12)));
      assertTrue(once < 0 && Double.isFinite(once), "" + once);
      assertTrue(once != search.score(encoder(2, 16)));
    }
  }

  @Test
  void saysWhatIsWrong() {
    try (PreparedData data = data();
        StudentSearch search =
            new StudentSearch(recipe(), data, encoder(2, 8), new ParameterCount())
                .withMostParameters(10)) {
      AgeingEvolution few = new AgeingEvolution(5, 2, 1, 1);
      String large =
          assertThrows(RunException.class, () -> search.run(space(), few, done -> {})).getMessage();
      assertTrue(large.contains("more than 10"), large);
      ConfigurationSpace misspelt =
          new ConfigurationSpace(Map.of("model.layer", List.of("1", "2")));
      String field =
          assertThrows(ConfigException.class, () -> search.run(misspelt, few, done -> {}))
              .getMessage();
      assertTrue(field.contains("layer"), field);
      ConfigurationSpace other =
          new ConfigurationSpace(Map.of("training.steps", List.of("1", "2")));
      assertThrows(RunException.class, () -> search.run(other, few, done -> {}));
    }
  }
}
