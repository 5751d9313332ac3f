package dev.jformer.train;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.data.text.Corpus;
import dev.jformer.data.text.HeldOut;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.text.TokenPair;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Encoder;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.model.Model;
import dev.jformer.nn.Module;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Accumulated gradients are those of one batch that holds all predictions. */
@ExtendWith(Scoped.class)
class AccumulationTest {
  private static final List<TokenPair> PAIRS =
      List.of(
          new TokenPair(sequence(3, 1), sequence(2, 5)),
          new TokenPair(sequence(28, 2), sequence(30, 3)),
          new TokenPair(sequence(9, 4), sequence(11, 1)));

  @TempDir Path folder;

  private static int[] sequence(int length, int start) {
    int[] ids = new int[length];
    for (int i = 0; i < length; i++) {
      ids[i] = (i * 7 + start) % 20;
    }
    ids[length - 1] = 20;
    return ids;
  }

  private static Model model(String json) {
    Random.seed(1);
    Model.Config config =
        Configs.parse(
            ("{'width':32,'mixer':{'heads':2},'dropout':0," + json + "}").replace('\'', '"'),
            Model.Config.class);
    return config.build();
  }

  private static EncoderDecoder translator() {
    return (EncoderDecoder)
        model(
            "'model':'encoder-decoder','encoderLayers':1,'decoderLayers':1,'vocab':21,'end':20,"
                + "'length':64");
  }

  private TokenFile tokens() throws IOException {
    Path text = Files.writeString(folder.resolve("text.txt"), TrainerTest.TEXT);
    return TokenFile.prepare(
        folder.resolve("data"),
        Corpus.open(text, List.of()),
        new ByteTokenizer(),
        0.1,
        bytes -> {});
  }

  private static Log run(Module model, Task task, int accumulate) {
    TrainingConfig training =
        TrainerTest.training("'steps':1,'clip':0,'learningRate':1e-12,'accumulate':" + accumulate);
    Log log = new Log();
    Random.seed(3);
    try (Trainer trainer = new Trainer(model, task, training, null)) {
      trainer.addListener(log);
      trainer.run();
    }
    return log;
  }

  private static final class Log implements Listener {
    private Step step;

    @Override
    public void step(Step done) {
      step = done;
    }
  }

  /** Compares an update with the mean over all predictions of the same batches. */
  private static List<Long> matchesTheMeanOverAll(Module model, Classifying task, int batches) {
    Random.seed(3);
    List<Long> sizes = new ArrayList<>();
    Tensor sum = Tensor.scalar(0.0);
    for (int i = 0; i < batches; i++) {
      Classifying.Prediction prediction = task.passes(i).get();
      long size = prediction.logits().size(0);
      sizes.add(size);
      sum = sum.add(prediction.loss().mul((double) size));
    }
    Tensor mean = sum.div((double) sizes.stream().mapToLong(s -> s).sum());
    mean.backward();
    Map<String, double[]> expected = gradients(model);
    Log log = run(model, task, batches);
    assertEquals(mean.item(), log.step.loss(), 1e-5);
    model
        .parameters()
        .forEach(
            (name, parameter) -> {
              if (expected.containsKey(name)) {
                assertClose(expected.get(name), parameter.value().grad(), 1e-5, name);
              }
            });
    double norm =
        Math.sqrt(
            expected.values().stream()
                .flatMapToDouble(java.util.Arrays::stream)
                .map(g -> g * g)
                .sum());
    assertEquals(norm, log.step.gradientNorm(), 1e-4 * norm);
    return sizes;
  }

  private static Map<String, double[]> gradients(Module model) {
    Map<String, double[]> all = new LinkedHashMap<>();
    model
        .parameters()
        .forEach(
            (name, parameter) -> {
              if (parameter.value().grad() != null) {
                all.put(name, parameter.value().grad().toDoubles());
              }
            });
    return all;
  }

  @Test
  void translationsCountByTheirTokens() {
    EncoderDecoder model = translator();
    List<Long> sizes =
        matchesTheMeanOverAll(model, new Translation(model, PAIRS, PAIRS, 1, 1, 0.1, 1), 3);
    assertEquals(3, sizes.stream().distinct().count());
    model.close();
  }

  /** One short and one long translation give the loss of both together. */
  @Test
  void aPairOfUnequalTranslationsGivesTheLossOfTheirTokens() {
    List<TokenPair> two = PAIRS.subList(0, 2);
    double[][] seen = new double[2][];
    for (int accumulate = 1; accumulate <= 2; accumulate++) {
      EncoderDecoder model = translator();
      int tokens = accumulate == 1 ? 100_000 : 1;
      Log log = run(model, new Translation(model, two, two, tokens, 100, 0, 1), accumulate);
      seen[accumulate - 1] = new double[] {log.step.loss(), log.step.gradientNorm()};
      model.close();
    }
    assertEquals(5.0439, seen[0][0], 1e-3);
    assertEquals(2.40, seen[0][1], 1e-2);
    assertEquals(seen[0][0], seen[1][0], 1e-5);
    assertEquals(seen[0][1], seen[1][1], 1e-4);
  }

  @ParameterizedTest
  @ValueSource(strings = {"plain", "consistency"})
  void objectivesThatRunTheTaskKeepItsWeights(String objective) {
    EncoderDecoder model = translator();
    Objective chosen = objective.equals("plain") ? new Objective.Plain() : new Consistency(0);
    Log log = run(model, chosen.of(new Translation(model, PAIRS, PAIRS, 1, 1, 0, 1)), 3);
    double factor = objective.equals("plain") ? 1 : 2;
    assertEquals(factor * Translation.evaluate(model, PAIRS), log.step.loss(), 1e-5);
    model.close();
  }

  @Test
  void maskedTextsCountByTheirMaskedTokens() throws IOException {
    try (TokenFile tokens = tokens()) {
      Encoder model =
          (Encoder) model("'model':'encoder','layers':1,'vocab':258,'length':16,'labels':0");
      List<Long> sizes =
          matchesTheMeanOverAll(model, new MaskedModelling(model, tokens, 2, 1, 1), 4);
      assertTrue(sizes.stream().distinct().count() > 1, "" + sizes);
      MaskedModelling task = new MaskedModelling(model, tokens, 2, 1, 3);
      Random.seed(7); // as evaluations do
      double[] sum = new double[2];
      model.train(false);
      HeldOut.read(
          tokens,
          2,
          16,
          3,
          part -> {
            Classifying.Prediction prediction = task.passes(part.inputs()).get();
            long size = prediction.logits().size(0);
            sum[0] += prediction.loss().item() * size;
            sum[1] += size;
          });
      assertEquals(sum[0] / sum[1], task.evaluate().loss(), 1e-6);
      model.close();
    }
  }

  /** Batches of one size give, to the bit, what dividing each by their number gives. */
  @Test
  void equalBatchesAreDividedByTheirNumber() throws IOException {
    try (TokenFile tokens = tokens()) {
      CausalLm model = (CausalLm) model("'model':'causal-lm','layers':1,'length':16");
      LanguageModelling task = new LanguageModelling(model, tokens, 2, 1, 1);
      matchesTheMeanOverAll(model, task, 3);
      model.clearGrads();
      double loss = 0;
      for (int i = 0; i < 3; i++) {
        Tensor each = task.loss(i);
        each.div(3).backward();
        loss += each.item() / 3;
      }
      Map<String, Tensor> expected = new LinkedHashMap<>();
      model.parameters().forEach((name, p) -> expected.put(name, p.value().grad().copy()));
      Log log = run(model, task, 3);
      assertEquals(loss, log.step.loss());
      expected.forEach(
          (name, gradient) ->
              assertSame(gradient, model.parameters().get(name).value().grad(), name));
      model.close();
    }
  }

  @Test
  void textsToClassifyCountByTheirNumber() {
    Encoder model =
        (Encoder) model("'model':'encoder','layers':1,'vocab':21,'length':32,'labels':2");
    List<TextClassification.Example> examples = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      examples.add(new TextClassification.Example(sequence(2 + 2 * i, i), i % 2));
    }
    List<Long> sizes =
        matchesTheMeanOverAll(model, new TextClassification(model, examples, 0.2, 4, 1), 3);
    assertEquals(List.of(4L, 4L, 4L), sizes);
    model.close();
  }

  /** A task of one's own that reports nothing counts all batches alike. */
  @Test
  void withoutReportsBatchesCountAlike() {
    CausalLm model = (CausalLm) model("'model':'causal-lm','layers':1,'vocab':21,'length':64");
    Task silent =
        new Task() {
          @Override
          public Tensor loss(long index) {
            Tensor ids =
                Tensor.of(PAIRS.get((int) index).target()).to(dev.jformer.tensor.DType.INT64);
            return model.loss(ids.unsqueeze(0), ids.unsqueeze(0));
          }

          @Override
          public long unitsPerBatch() {
            return 1;
          }

          @Override
          public String unit() {
            return "texts";
          }

          @Override
          public dev.jformer.metrics.Metrics evaluate() {
            return dev.jformer.metrics.Metrics.ofLoss(1, "nats");
          }
        };
    double mean = (silent.loss(0).item() + silent.loss(1).item()) / 2;
    assertEquals(mean, run(model, silent, 2).step.loss(), 1e-6);
    model.close();
  }
}
