package dev.jformer.studies.adaptation;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import dev.jformer.data.text.Corpus;
import dev.jformer.data.text.ParallelTexts;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.text.TokenPair;
import dev.jformer.decode.BeamSearch;
import dev.jformer.decode.BeamTranslator;
import dev.jformer.decode.DenoisingSearch;
import dev.jformer.decode.DenoisingTextTranslator;
import dev.jformer.decode.TextTranslator;
import dev.jformer.hub.Models;
import dev.jformer.metrics.Bleu;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.DenoisingTranslator;
import dev.jformer.model.Encoder;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.model.Model;
import dev.jformer.position.LearnedPosition;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.trial.Multi30k;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TaskTrial;
import dev.jformer.studies.trial.TrainingCurve;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.train.DenoisingTranslation;
import dev.jformer.train.MaskedModelling;
import dev.jformer.train.TrainingConfig;
import dev.jformer.train.Translation;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A translator that writes all words at once (<a
 * href="https://arxiv.org/abs/2112.06749">Step-unrolled Denoising Autoencoders for Text
 * Generation</a>) and begins with a masked language model of both languages, beside one of random
 * weights and one that writes word by word.
 */
final class NonAutoregressivePart {
  private static final String BEGUN = "all words, from a masked model";
  private static final String SCRATCH = "all words, random";
  private static final String ORDERED = "word by word";
  private static final double RATE = 2e-3;
  private static final int MOST_PAIRS = 1024;
  private static final int TOGETHER = 64;
  private static final double SMOOTHING = 0.1;

  /** The settings of the part at a scale. */
  private record Size(
      int layers,
      int width,
      int length,
      int vocabulary,
      int pairs,
      int pretraining,
      int steps,
      int tokens,
      int translated) {}

  /** The largest numbers of passes that translations are made with. */
  private static final List<Integer> PASSES = List.of(1, 2, 4, 10);

  private final ExperimentContext lab;
  private final Size size;
  private final Multi30k texts;

  private NonAutoregressivePart(ExperimentContext lab) {
    this.lab = lab;
    this.size =
        lab.pick(
            new Size(1, 16, 32, 290, 40, 2, 2, 64, 4),
            new Size(2, 64, 48, 1024, 12_000, 1000, 700, 512, 200),
            new Size(6, 512, 128, 8192, 29_000, 20_000, 50_000, 8192, 1000));
    this.texts = Multi30k.of(lab.scale(), size.vocabulary(), size.pairs());
  }

  /** Measures and reports. */
  static void run(ExperimentContext lab) {
    new NonAutoregressivePart(lab).run();
  }

  private void run() {
    int seeds = lab.pick(1, 2, 3);
    Measured<TrainingResult> runs =
        Arms.of(BEGUN, true)
            .control(SCRATCH, false)
            .learn(lab, "translators", seeds, this::denoising)
            .and(Arms.of(ORDERED, 0).learn(lab, "translators", seeds, none -> ordered()));
    String last = bleu(PASSES.get(PASSES.size() - 1));
    lab.claim(
        "A translator that writes all words at once is better if both its halves begin with a"
            + " masked language model, after as many updates",
        "",
        SCRATCH,
        Check.all(
            runs.above("BLEU", BEGUN, SCRATCH, run -> run.metric(last)),
            runs.below("loss (nats a token)", BEGUN, SCRATCH, TrainingResult::finalLoss)));
    lab.claim(
        "Passes over a translation make it better: ten give a higher BLEU than one",
        "",
        BEGUN + ", one pass",
        Check.above(
            "rise of BLEU from one pass to ten",
            runs.beside(BEGUN, BEGUN, (a, b) -> a.metric(last) - b.metric(bleu(1))),
            0));
    lab.claim(
        "A translator of all words takes fewer passes a sentence than one of equal size that writes"
            + " word by word",
        "",
        ORDERED,
        runs.below("passes a sentence", BEGUN, ORDERED, run -> run.metric("passes")),
        Check.sentence(
            "BLEU: %s against %s; seconds for %s sentences: %s against %s.",
            runs.of(BEGUN, run -> run.metric(last)),
            runs.of(ORDERED, run -> run.metric(last)),
            translated(),
            runs.of(BEGUN, run -> run.metric("time")),
            runs.of(ORDERED, run -> run.metric("time"))));
    lab.table(
        runs.table(
            "Translators of %d + %d layers, width %d"
                .formatted(size.layers(), size.layers(), size.width()),
            "translator",
            column("loss", "nats a token", TrainingResult::finalLoss),
            column("BLEU", run -> run.metric(last)),
            column("BLEU, 4 passes", run -> run.metric(bleu(4))),
            column("BLEU, 2 passes", run -> run.metric(bleu(2))),
            column("BLEU, 1 pass", run -> run.metric(bleu(1))),
            column("passes a sentence", run -> run.metric("passes")),
            column("seconds to translate", run -> run.metric("time")),
            column("seconds of training", TrainingResult::seconds),
            fixed("weights", TrainingResult::parameters)));
    lab.figure(
        runs.without(ORDERED)
            .figure(
                "Translators of all words, first seed",
                "updates",
                "held-out loss",
                TrainingResult::curve));
    lab.note(
        "Translation: %s, of these %d translated for BLEU; a vocabulary of %d tokens, %,d updates"
            + " of at most %d tokens, AdamW with a peak rate of %s, label smoothing %s. The masked"
            + " language model learns from both sides of the training pairs, one line after the"
            + " other, for %,d updates, with one model for each seed; its cost is not counted. The"
            + " loss of translators of all words is the mean over two steps from a corrupted"
            + " translation, so that it is not that of the translator word by word. All words:"
            + " three lengths, the likeliest tokens, at most 10 passes; word by word: greedy search"
            + " with cached keys and values, where a pass is one word.",
        texts.description(),
        translated(),
        size.vocabulary(),
        size.steps(),
        size.tokens(),
        RATE,
        SMOOTHING,
        size.pretraining());
  }

  private static String bleu(int passes) {
    return "bleu" + passes;
  }

  private Encoder.Config encoder() {
    return new Encoder.Config()
        .withLength(size.length())
        .withStack(s -> s.layers(size.layers()).width(size.width()))
        .withBlock(b -> b.mixer(new SoftmaxAttention.Config(4, 0)).bias(true).dropout(0.1))
        .sized(texts.tokenizer().vocabularySize(), 0);
  }

  private TrainingConfig training() {
    return Small.tuning(size.steps(), MOST_PAIRS, RATE, 1)
        .withEvaluateEvery(Math.max(1, size.steps() / 5));
  }

  private Trial<TrainingResult> denoising(boolean begun) {
    return Trial.of(
        TrainingResult.class,
        session ->
            new TaskTrial<DenoisingTranslator, DenoisingTranslation>(
                    each -> model(each, begun),
                    training(),
                    (model, each) ->
                        new DenoisingTranslation(
                            model,
                            pairs(texts.training(), model.end()),
                            pairs(texts.validation(), model.end()),
                            size.tokens(),
                            MOST_PAIRS,
                            SMOOTHING,
                            each.seed()),
                    (model, task) -> translated(model))
                .run(session));
  }

  private List<TokenPair> pairs(ParallelTexts some, int end) {
    return TokenPair.of(some, texts.tokenizer(), end, size.length());
  }

  private DenoisingTranslator model(Trial.Session session, boolean begun) {
    DenoisingTranslator model = new DenoisingTranslator.Config().withEncoder(encoder()).build();
    if (begun) {
      Path folder = masked(session);
      try (Model mlm = Models.load(folder)) {
        model.copyFrom(mlm);
      } catch (IOException e) {
        throw new UncheckedIOException("cannot read the model in " + folder, e);
      }
    }
    return model;
  }

  /** The folder of a masked language model of both languages. */
  private Path masked(Trial.Session session) {
    Path folder = lab.files("masked-" + session.seed());
    if (Files.exists(folder.resolve(Models.CONFIG))) {
      return folder;
    }
    try (TokenFile tokens = bothLanguages();
        Scope scope = Scope.open()) {
      Random.seed(session.seed());
      int rows = Math.max(1, 2 * size.tokens() / size.length());
      try (Encoder mlm = encoder().build()) {
        TrainingCurve.of(
            mlm,
            new MaskedModelling(mlm, tokens, rows, session.seed(), 20),
            Small.tuning(size.pretraining(), rows, RATE, session.seed()),
            done -> session.progress().at(done, "masked language model"));
        Models.save(mlm, folder);
      }
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot save a model in " + folder, e);
    }
  }

  /** The training pairs as one text, each line's translation in the line after it. */
  private TokenFile bothLanguages() throws IOException {
    Path folder = lab.files("both-languages");
    Files.createDirectories(folder);
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < texts.training().size(); i++) {
      lines.add(texts.training().source().get(i));
      lines.add(texts.training().target().get(i));
    }
    Path file = Files.write(folder.resolve("text.txt"), lines);
    return TokenFile.prepare(
        folder, Corpus.open(file, List.of()), texts.tokenizer(), 0.02, done -> {});
  }

  private Map<String, Double> translated(DenoisingTranslator model) {
    Map<String, Double> metrics = new LinkedHashMap<>();
    for (int most : PASSES) {
      DenoisingSearch.Settings settings = new DenoisingSearch.Settings(most, 3);
      DenoisingTextTranslator translator =
          new DenoisingTextTranslator(model, texts.tokenizer(), settings, TOGETHER);
      score(translator, bleu(most), metrics);
      metrics.put("passes", (double) translator.passes() / translated());
    }
    return metrics;
  }

  /** Measures BLEU and the time of translations; returns them. */
  private List<String> score(TextTranslator translator, String name, Map<String, Double> metrics) {
    ParallelTexts some = texts.test().slice(0, translated());
    long start = System.nanoTime();
    List<String> translations = translator.translate(some.source(), done -> {});
    metrics.put("time", (System.nanoTime() - start) / 1e9);
    metrics.put(name, Bleu.of(translations, some.target()).score());
    return translations;
  }

  /** The number of test texts that are translated. */
  private int translated() {
    return Math.min(size.translated(), texts.test().size());
  }

  private long tokens(List<String> translations) {
    return translations.stream().mapToLong(text -> texts.tokenizer().encode(text).length + 1).sum();
  }

  /** A translator word by word, with blocks of the same shape. */
  private Trial<TrainingResult> ordered() {
    Encoder.Config shape = encoder();
    EncoderDecoder.Config config =
        texts.fit(
            new EncoderDecoder.Config()
                .with(
                    c ->
                        c.encoderLayers(size.layers())
                            .decoderLayers(size.layers())
                            .width(size.width())
                            .length(size.length())
                            .position(new LearnedPosition.Config()))
                .withBlock(shape.block()));
    return Trial.of(
        TrainingResult.class,
        session ->
            new TaskTrial<EncoderDecoder, Translation>(
                    each -> config.build(),
                    training(),
                    (model, each) ->
                        new Translation(
                            model,
                            pairs(texts.training(), model.end()),
                            pairs(texts.validation(), model.end()),
                            size.tokens(),
                            MOST_PAIRS,
                            SMOOTHING,
                            each.seed()),
                    (model, task) -> translated(model))
                .run(session));
  }

  /** Greedy translations, whose number of passes is that of their tokens. */
  private Map<String, Double> translated(EncoderDecoder model) {
    Map<String, Double> metrics = new LinkedHashMap<>();
    BeamTranslator greedy =
        new BeamTranslator(model, texts.tokenizer(), new BeamSearch.Settings(1), TOGETHER);
    for (int most : PASSES) {
      metrics.put(bleu(most), Double.NaN);
    }
    List<String> translations = score(greedy, bleu(PASSES.get(PASSES.size() - 1)), metrics);
    metrics.put("passes", (double) tokens(translations) / translated());
    return metrics;
  }
}
