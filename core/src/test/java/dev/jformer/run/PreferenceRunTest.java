package dev.jformer.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.adapt.Lora;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.hub.Models;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Random;
import dev.jformer.testing.Scoped;
import dev.jformer.train.TrainingConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Runs that learn preferences, of strings and of conversations, which must be the same. */
@ExtendWith(Scoped.class)
class PreferenceRunTest {
  private static final String TEMPLATE =
      "{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}{% else %}{{ m.content }}|"
          + "{% endif %}{% endfor %}";

  @TempDir private Path folder;

  private Path model() throws IOException {
    Random.seed(2);
    Path to = folder.resolve("model");
    try (CausalLm model =
        new CausalLm.Config()
            .with(c -> c.vocab(256).length(48))
            .withStack(s -> s.layers(1).width(16))
            .withBlock(b -> b.dropout(0).mixer(new SoftmaxAttention.Config(2, 0)))
            .build()) {
      Models.save(model, to);
    }
    new ByteTokenizer().save(to);
    Files.writeString(
        to.resolve("tokenizer_config.json"), "{\"chat_template\": \"" + TEMPLATE + "\"}");
    return to;
  }

  private Path data(String name, String line) throws IOException {
    StringBuilder all = new StringBuilder();
    for (int i = 0; i < 12; i++) {
      all.append(line.replace("QUESTION", "q" + i).replace('\'', '"')).append("\n");
    }
    return Files.writeString(folder.resolve(name), all);
  }

  private Recipe recipe(Path data, Path model) {
    TrainingConfig training =
        new TrainingConfig()
            .with(t -> t.steps(30).batch(4).learningRate(1e-2).evaluateEvery(30).seed(1));
    return new Recipe()
        .withData(new SampleData())
        .withData(data)
        .withTraining(training)
        .withFrom(model)
        .withAdapter(new Lora());
  }

  private static List<Double> losses(Recipe recipe, Path out) throws IOException {
    List<Double> losses = new ArrayList<>();
    Run.begin(recipe, out, false)
        .train(
            new Progress() {
              @Override
              public void step(dev.jformer.train.Listener.Step step) {
                losses.add(step.loss());
              }
            });
    return losses;
  }

  @Test
  void conversationsAreLearnedAsStringsAre() throws IOException {
    Path model = model();
    Path strings = data("s.jsonl", "{'prompt': 'QUESTION', 'chosen': 'yes|', 'rejected': 'no|'}");
    Path messages =
        data(
            "m.jsonl",
            "{'prompt': [{'role': 'user', 'content': 'QUESTION'}],"
                + " 'chosen': [{'role': 'assistant', 'content': 'yes'}],"
                + " 'rejected': [{'role': 'assistant', 'content': 'no'}]}");
    List<Double> one = losses(recipe(messages, model), folder.resolve("messages"));
    assertEquals(Math.log(2), one.get(0), 1e-5, "the model is its own reference");
    assertTrue(one.get(29) < 0.66, "" + one);
    List<Double> other = losses(recipe(strings, model), folder.resolve("strings"));
    assertEquals(Math.log(2), other.get(0), 1e-5);
    for (int i = 0; i < one.size(); i++) {
      assertEquals(one.get(i), other.get(i), 1e-4, "step " + i);
    }
  }

  @Test
  void pairsAmongOtherSamplesAreRefused() throws IOException {
    Path model = model();
    Path data =
        Files.writeString(
            folder.resolve("mixed.jsonl"),
            "{\"prompt\": \"a\", \"chosen\": \"b\", \"rejected\": \"c\"}\n{\"text\": \"d\"}\n");
    String message =
        assertThrows(
                RunException.class,
                () -> Run.train(recipe(data, model), folder.resolve("x"), Progress.none()))
            .getMessage();
    assertTrue(message.contains("1 pairs of a chosen and a rejected answer among 2"), message);
  }
}
