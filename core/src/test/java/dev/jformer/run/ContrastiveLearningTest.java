package dev.jformer.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.data.DataException;
import dev.jformer.data.text.TextPairs;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.hub.SentenceEncoder;
import dev.jformer.model.Encoder;
import dev.jformer.tensor.Random;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class ContrastiveLearningTest {
  private static final double SCALE = 20;
  @TempDir private Path folder;

  private static SentenceEncoder encoder() {
    Random.seed(6);
    Encoder model =
        Configs.parse(
                "{\"model\":\"encoder\",\"layers\":1,\"width\":16,\"vocab\":258,\"length\":64}",
                Encoder.Config.class)
            .build();
    return new SentenceEncoder(model, new ByteTokenizer(), 8);
  }

  private static TextPairs.Pair pair(String anchor, String positive, String negative) {
    return new TextPairs.Pair(anchor, positive, negative);
  }

  /** The definition on embeddings that were computed one text at a time. */
  @Test
  void hasTheLossOfTheDefinition() {
    SentenceEncoder encoder = encoder();
    List<TextPairs.Pair> pairs =
        List.of(
            pair("a cat", "the cat", null),
            pair("a house and a garden", "home", "a horse and a garden"),
            pair("a cat", "some kitten", "a bat"),
            pair("red", "home", null));
    ContrastiveLearning task = new ContrastiveLearning(encoder, pairs, pairs, SCALE, 4, 1);
    List<String> candidates = new ArrayList<>();
    pairs.forEach(p -> candidates.add(p.positive()));
    pairs.stream().filter(p -> p.negative() != null).forEach(p -> candidates.add(p.negative()));
    double expected = 0;
    for (int i = 0; i < pairs.size(); i++) {
      float[] anchor = encoder.embed(pairs.get(i).anchor());
      double all = 0;
      for (int j = 0; j < candidates.size(); j++) {
        boolean twin =
            j != i
                && (candidates.get(j).equals(pairs.get(i).positive())
                    || (j < pairs.size() && pairs.get(j).anchor().equals(pairs.get(i).anchor())));
        if (!twin) {
          all += Math.exp(SCALE * SentenceEncoder.cosine(anchor, encoder.embed(candidates.get(j))));
        }
      }
      double own = SCALE * SentenceEncoder.cosine(anchor, encoder.embed(candidates.get(i)));
      expected += (Math.log(all) - own) / pairs.size();
    }
    assertEquals(expected, task.evaluate().loss(), 1e-3);
    assertEquals(expected, task.loss(0).item(), 1e-3, "whatever the order in the batch");
  }

  /** Words with the same ending belong together; others of the ending are held out. */
  @Test
  void aTrainedEncoderLearnsPairsInARun() throws IOException {
    Path base = Files.createDirectory(folder.resolve("base"));
    try (SentenceEncoder encoder = encoder()) {
      dev.jformer.hub.Models.save(encoder.model(), base);
      new ByteTokenizer().save(base);
    }
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      String end = List.of("ing", "ed", "ly", "ous", "ment").get(i % 5);
      lines.add("w" + i % 7 + end + "\t" + "v" + i % 11 + end);
    }
    Path file = Files.write(folder.resolve("pairs.tsv"), lines);
    String recipe =
        """
        {"data": {"type": "text-pairs", "source": "%s", "validation": 0.2}, "from": "%s",
         "model": {"model": "encoder"}, "adapter": {"type": "lora", "rank": 4},
         "training": {"steps": 40, "batch": 5, "learningRate": 1e-2, "evaluateEvery": 40}}
        """
            .formatted(file, base);
    Path out = folder.resolve("run");
    Recipe parsed = Configs.parse(recipe, Recipe.class);
    List<Double> losses = new ArrayList<>();
    Run.begin(parsed, out, false)
        .train(
            new Progress() {
              @Override
              public void evaluation(Evaluation evaluation) {
                losses.add(evaluation.value());
              }
            });
    assertTrue(losses.get(1) < 0.7 * losses.get(0), "" + losses);
    try (SentenceEncoder encoder = SentenceEncoder.load(out)) {
      double same = SentenceEncoder.cosine(encoder.embed("w1ing"), encoder.embed("v2ing"));
      double other = SentenceEncoder.cosine(encoder.embed("w1ing"), encoder.embed("v2ous"));
      assertTrue(same > other, same + " and " + other);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"one", "a\t", "a\tb\tc\td", "a\tb\t "})
  void badLinesAreNamedByTheirNumber(String line) throws IOException {
    Path file = Files.writeString(folder.resolve("bad.tsv"), "good\tfine\n\n" + line + "\n");
    String message = assertThrows(DataException.class, () -> TextPairs.read(file)).getMessage();
    assertTrue(message.contains("line 3"), message);
    Path json =
        Files.writeString(
            folder.resolve("bad.jsonl"), "{\"anchor\":\"a\",\"positive\":\"b\"}\n{\"anchor\":1}\n");
    String other = assertThrows(DataException.class, () -> TextPairs.read(json)).getMessage();
    assertTrue(other.contains("line 2 lacks"), other);
  }
}
