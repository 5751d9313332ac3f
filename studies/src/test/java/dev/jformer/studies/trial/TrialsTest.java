package dev.jformer.studies.trial;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.text.Corpus;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.PattentionMlp;
import dev.jformer.ffn.expert.Experts;
import dev.jformer.ffn.expert.SwitchGate;
import dev.jformer.metrics.Metrics;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Encoder;
import dev.jformer.nn.Pattention;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Trial;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.Objective;
import dev.jformer.train.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** All trials train through one interface, and depend on the seed alone. */
class TrialsTest {
  private static final SoftmaxAttention.Config MIXER = new SoftmaxAttention.Config(2, 0);

  @TempDir private Path folder;

  record Losses(double last, boolean training, int count) {}

  private TrainingResult seeds(Trial<TrainingResult> trial, TokenFile text) {
    assertEquals(TrainingResult.class, trial.kind());
    double[] shown = new double[1];
    TrainingResult one =
        trial.run(new Trial.Session(1, text, (done, detail) -> shown[0] = done, null));
    assertEquals(1, shown[0], "progress goes to the end");
    TrainingResult again = trial.run(Trial.Session.of(text, 1));
    assertEquals(one.finalLoss(), again.finalLoss(), "the same seed");
    assertEquals(one.metrics(), again.metrics(), "the same seed");
    assertNotEquals(one.finalLoss(), trial.run(Trial.Session.of(text, 2)).finalLoss());
    assertFalse(one.validation().isEmpty());
    assertTrue(one.parameters() > 0 && one.steps() > 0 && one.seconds() > 0, one.toString());
    return one;
  }

  @Test
  void languageModels() throws IOException {
    Corpus corpus = Corpus.open(Path.of("src/main/java"), List.of(".java"));
    try (TokenFile text =
        TokenFile.prepare(folder.resolve("t"), corpus, new ByteTokenizer(), 0.2, bytes -> {})) {
      LanguageTrial trial =
          new LanguageTrial(Small.language(1, 16, 16, MIXER), Small.training(3, 2, 1), 2, null);
      TrainingResult result = seeds(trial, text);
      Trial<Losses> examined =
          trial.examined(
              Losses.class,
              (model, found) ->
                  new Losses(found.finalLoss(), model.isTraining(), found.validation().size()));
      assertEquals(
          new Losses(result.finalLoss(), false, result.validation().size()),
          examined.run(Trial.Session.of(text, 1)));
      Trial<Steps> watched =
          trial.watched(
              Steps.class,
              (model, step) -> model.isTraining() ? -step : step,
              (model, found, looks) -> new Steps(looks, found.finalLoss()));
      assertEquals(
          new Steps(List.of(1L, 2L, 3L), result.finalLoss()),
          watched.run(Trial.Session.of(text, 1)));
      assertEquals(
          watched.run(Trial.Session.of(text, 1)), watched.run(Trial.Session.of(text, 1)), "anew");
    }
  }

  @Test
  void growingModels() throws IOException {
    Corpus corpus = Corpus.open(Path.of("src/main/java"), List.of(".java"));
    CausalLm.Config small =
        Small.language(1, 16, 16, MIXER)
            .withBlock(b -> b.ffn(new PattentionMlp.Config(2, 1)))
            .withBlock(b -> b.projection(new Pattention.Config(0.5, 1)));
    try (TokenFile text =
        TokenFile.prepare(folder.resolve("t"), corpus, new ByteTokenizer(), 0.2, bytes -> {})) {
      GrowthTrial trial = new GrowthTrial(small, List.of(2, 3), 2, 1);
      GrowthTrial.Outcome grown = trial.run(Trial.Session.of(text, 1));
      assertEquals(grown.losses(), trial.run(Trial.Session.of(text, 1)).losses(), "the same seed");
      assertEquals(5, grown.losses().size());
      assertEquals(1, grown.changes().size());
      assertTrue(grown.changes().get(0) < 1e-5, "growing preserves the function");
      double step = grown.compute().get(0);
      assertEquals(2 * step, grown.compute().get(1), 1e-9 * step);
      assertTrue(grown.compute().get(2) - 2 * step > 1.2 * step, "larger models cost more");
      assertEquals(step, grown.until(grown.losses().get(0)));
      assertTrue(Double.isNaN(grown.until(0)));
      assertEquals(List.of(4), trial.within(small, 4.5 * step).stages());
      assertEquals(
          4 * step, trial.within(small, 4.5 * step).run(session(text)).spent(), 1e-9 * step);
    }
  }

  private static Trial.Session session(TokenFile text) {
    return Trial.Session.of(text, 1);
  }

  record Steps(List<Long> steps, double loss) {}

  @Test
  void tasksOfTheirOwn() {
    TaskTrial<CausalLm, Repeating> trial =
        new TaskTrial<>(
            Small.language(1, 16, 8, MIXER)::build,
            Small.training(4, 2, 1),
            (model, session) -> new Repeating(model),
            (model, task) ->
                Map.of("batches", (double) task.batches, "training", model.isTraining() ? 1.0 : 0));
    TrainingResult result = seeds(trial, null);
    assertEquals(4, result.metric("batches"));
    assertEquals(0, result.metric("training"), "metrics are of a model in inference");
    assertTrue(result.finalLoss() < result.validation().get(0).loss(), result.toString());
    Losses examined =
        new TaskTrial<>(trial.model(), trial.training(), trial.task())
            .examined(
                Losses.class,
                (model, task, found) ->
                    new Losses(found.finalLoss(), model.isTraining(), task.batches))
            .run(Trial.Session.of(null, 1));
    assertEquals(new Losses(result.finalLoss(), false, 4), examined);
  }

  /** The same few tokens, again and again. */
  private static final class Repeating implements Task {
    private final CausalLm model;
    private final Tensor ids = Tensor.arange(0, 8).unsqueeze(0);
    private int batches;

    Repeating(CausalLm model) {
      this.model = model;
    }

    @Override
    public Tensor loss(long index) {
      batches++;
      return model.loss(ids, ids);
    }

    @Override
    public long unitsPerBatch() {
      return 8;
    }

    @Override
    public String unit() {
      return "tokens";
    }

    @Override
    public Metrics evaluate() {
      return Metrics.ofLoss(model.loss(ids, ids).item(), "nats");
    }
  }

  @Test
  void images() {
    ImageTrial trial =
        new ImageTrial(
            Scale.SMOKE,
            Small.vision(8, 1, 16, MIXER, new Mlp.Config()),
            Small.training(2, 4, 1),
            0.1);
    double accuracy = seeds(trial, null).metric("accuracy");
    assertTrue(accuracy >= 0 && accuracy <= 1, "accuracy " + accuracy);
    Losses found =
        trial
            .examined(
                Losses.class,
                (model, images, result) ->
                    new Losses(images.accuracy(model), model.isTraining(), 0))
            .run(Trial.Session.of(null, 1));
    assertEquals(new Losses(accuracy, false, 0), found);
  }

  @Test
  void lists() {
    ListBatches problems = new ListBatches(24, 2, 3);
    ListTrial trial =
        new ListTrial(problems, Small.lists(1, 16, problems, MIXER), Small.training(4, 4, 1), 20);
    TrainingResult result = seeds(trial, null);
    assertTrue(result.metric("accuracy") >= 0);
    var error = assertThrows(IllegalArgumentException.class, () -> result.metric("bleu"));
    assertTrue(error.getMessage().contains("[accuracy]"), error.getMessage());
  }

  @Test
  void translators() {
    Multi30k texts = Multi30k.of(Scale.SMOKE, 300, 40);
    TranslationTrial trial =
        new TranslationTrial(texts, Scale.SMOKE, new Mlp.Config(), new Objective.Plain(), 5);
    assertTrue(seeds(trial, null).metric("bleu") >= 0);
    Mlp.Config expert = new Mlp.Config();
    Experts.Config experts = new Experts.Config(expert, 2, new SwitchGate.Config());
    TranslationTrial routed =
        new TranslationTrial(texts, Scale.SMOKE, experts, new Objective.Plain(), 5);
    TrainingResult result =
        routed
            .examined(
                TrainingResult.class,
                (model, learned) -> {
                  double loss = Arrays.stream(texts.tokenLosses(model)).average().orElseThrow();
                  assertEquals(learned.finalLoss(), loss, 1e-4, "mean over the tokens");
                  return learned.with("busiest", routed.load(model).get(0));
                })
            .run(Trial.Session.of(null, 1));
    assertTrue(result.metric("busiest") >= 0.5);
    assertEquals(5, result.trace("expertLoad").values().size());
    var error = assertThrows(IllegalArgumentException.class, () -> result.trace("loss"));
    assertTrue(error.getMessage().contains("expertLoad"), error.getMessage());
  }

  @Test
  void sentiment() {
    Sentiment texts = new Sentiment(Scale.SMOKE, 100);
    try (Encoder pretrained = texts.pretrained()) {
      SentimentTrial trial = new SentimentTrial(texts, pretrained, Small.tuning(2, 4, 1e-3, 1));
      assertTrue(seeds(trial, null).metric("accuracy") >= 0);
    }
  }
}
