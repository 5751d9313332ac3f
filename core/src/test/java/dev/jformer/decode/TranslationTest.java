package dev.jformer.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.data.DataException;
import dev.jformer.data.text.PairBatch;
import dev.jformer.data.text.ParallelTexts;
import dev.jformer.data.text.TokenPair;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.TokenizerMethod;
import dev.jformer.metrics.Bleu;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.model.Model;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.train.Listener;
import dev.jformer.train.Trainer;
import dev.jformer.train.TrainingConfig;
import dev.jformer.train.Translation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Learning a language in which the words of the other come in reverse order. */
@ExtendWith(Scoped.class)
class TranslationTest {
  private static final List<String> WORDS = List.of("ka", "lo", "mi", "nu", "pe", "ra");
  private static final List<String> OTHERS = List.of("A", "B", "C", "D", "E", "F");

  @TempDir Path folder;
  private ParallelTexts learned;
  private ParallelTexts heldOut;
  private Tokenizer tokenizer;

  /** Texts that are not among others. */
  private static ParallelTexts texts(int count, long seed, List<String> others) {
    SplittableRandom random = new SplittableRandom(seed);
    List<String> source = new ArrayList<>();
    List<String> target = new ArrayList<>();
    while (source.size() < count) {
      StringBuilder from = new StringBuilder();
      StringBuilder to = new StringBuilder();
      for (int n = 2 + random.nextInt(3); n > 0; n--) {
        int word = random.nextInt(WORDS.size());
        from.append(from.isEmpty() ? "" : " ").append(WORDS.get(word));
        to.insert(0, OTHERS.get(word) + (to.isEmpty() ? "" : " "));
      }
      if (!others.contains(from.toString())) {
        source.add(from.toString());
        target.add(to.toString());
      }
    }
    return new ParallelTexts(source, target);
  }

  @BeforeEach
  void texts() throws IOException {
    heldOut = texts(40, 2, List.of());
    learned = texts(600, 1, heldOut.source());
    tokenizer = learned.vocabulary(TokenizerMethod.BPE).train(300, count -> {});
  }

  private EncoderDecoder model(double dropout) {
    Random.seed(5);
    String json =
        ("{'model':'encoder-decoder','encoderLayers':1,'decoderLayers':1,'width':32,'length':16,"
                + "'mixer':{'heads':2},'dropout':"
                + dropout
                + "}")
            .replace('\'', '"');
    EncoderDecoder.Config config = (EncoderDecoder.Config) Configs.parse(json, Model.Config.class);
    return config.sized(tokenizer.vocabularySize(), tokenizer.endOfText().orElseThrow()).build();
  }

  private List<TokenPair> pairs(EncoderDecoder model, ParallelTexts texts) {
    return TokenPair.of(texts, tokenizer, model.end(), model.config().length());
  }

  private Translation task(EncoderDecoder model, int tokens) {
    return new Translation(
        model, pairs(model, learned), pairs(model, heldOut), tokens, 1000, 0.1, 3);
  }

  private static TrainingConfig training(String fields) {
    return Configs.parse(
        ("{'learningRate':0.005,'optimizer':{'beta2':0.98,'weightDecay':0},"
                + "'schedule':{'shape':'inverse-sqrt','warmup':60},"
                + fields
                + "}")
            .replace('\'', '"'),
        TrainingConfig.class);
  }

  @Test
  void learnsToTranslateTextsItHasNotSeen() {
    EncoderDecoder model = model(0);
    Translation task = task(model, 250);
    BleuValidation judged = new BleuValidation(task, model, tokenizer, heldOut);
    Metrics before = judged.evaluate();
    assertTrue(before.get("bleu") < 20, "before it learned anything: " + before);
    assertEquals("bleu", before.primary().name());
    assertTrue(before.primary().higherIsBetter());
    TrainingConfig training = training("'steps':500,'evaluateEvery':500,'ema':0.98");
    try (Trainer trainer = new Trainer(model, judged, training, null)) {
      Trainer.Result result = trainer.run();
      assertTrue(result.best().get("bleu") > 90, "" + result.best());
      assertTrue(result.best().loss() < 0.2, "" + result.best());
    }
    model.train(false);
    BeamTranslator translator =
        new BeamTranslator(model, tokenizer, new BeamSearch.Settings(4), 16);
    List<String> translations = translator.translate(heldOut.source(), done -> {});
    double bleu = Bleu.of(translations, heldOut.target()).score();
    assertTrue(bleu > 90, "BLEU " + bleu);
    String text = heldOut.source().get(0);
    assertEquals(
        List.of("", translations.get(0)), translator.translate(List.of("  ", text), done -> {}));
    model.close();
  }

  private static final class Log implements Listener {
    final List<String> lines = new ArrayList<>();

    @Override
    public void step(Step step) {
      lines.add(step.step() + " " + step.loss() + " " + step.gradientNorm());
    }

    @Override
    public void evaluation(Evaluation evaluation) {
      lines.add(evaluation.step() + " validation " + evaluation.value());
    }
  }

  private Log run(Path checkpoints, int until, boolean resume) {
    Log log = new Log();
    EncoderDecoder model = model(0.1);
    TrainingConfig training =
        training("'steps':24,'evaluateEvery':6,'checkpointEvery':5,'accumulate':2,'ema':0.9");
    BleuValidation task = new BleuValidation(task(model, 100), model, tokenizer, heldOut);
    try (Trainer trainer = new Trainer(model, task, training, checkpoints)) {
      trainer.addListener(log);
      trainer.addListener(
          new Listener() {
            @Override
            public void step(Step step) {
              if (step.step() == until) {
                trainer.stop();
              }
            }
          });
      if (resume) {
        trainer.resume();
      }
      trainer.run();
    }
    model.close();
    return log;
  }

  @Test
  void resumedRunRepeatsTheUninterruptedOneBitForBit() {
    List<String> whole = run(folder.resolve("whole"), -1, false).lines;
    List<String> parts = new ArrayList<>(run(folder.resolve("parts"), 8, false).lines);
    Random.seed(99);
    parts.addAll(run(folder.resolve("parts"), -1, true).lines);
    assertEquals(whole, parts);
  }

  @Test
  void lossIsTheMeanOverTokensSmoothed() {
    EncoderDecoder model = model(0);
    model.train(false);
    Translation task = task(model, 60);
    PairBatch batch = task.batch(4);
    double[] log = Translation.logits(model, batch).logSoftmax(-1).toDoubles();
    long[] targets = batch.targets().toLongs();
    int vocab = model.config().vocab();
    double plain = 0;
    double even = 0;
    for (int i = 0; i < targets.length; i++) {
      plain -= log[i * vocab + (int) targets[i]] / targets.length;
      for (int v = 0; v < vocab; v++) {
        even -= log[i * vocab + v] / targets.length / vocab;
      }
    }
    assertEquals(0.9 * plain + 0.1 * even, task.loss(4).item(), 1e-4);
    // Evaluation counts every token once, and is not smoothed.
    double sum = 0;
    long count = 0;
    for (TokenPair pair : pairs(model, heldOut)) {
      PairBatch one = PairBatch.of(List.of(pair));
      Tensor each =
          Translation.logits(model, one).logSoftmax(-1).gather(1, one.targets().unsqueeze(1));
      sum -= each.sum().item();
      count += one.tokens();
    }
    assertEquals(sum / count, task.evaluate().loss(), 1e-4);
    model.close();
  }

  @Test
  void needsSomethingToValidateOn() {
    EncoderDecoder model = model(0);
    assertThrows(
        DataException.class,
        () -> new Translation(model, pairs(model, learned), List.of(), 60, 9, 0, 1));
    assertThrows(
        DataException.class,
        () -> new Translation(model, List.of(), pairs(model, heldOut), 60, 9, 0, 1));
    model.close();
  }
}
