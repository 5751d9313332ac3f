package dev.jformer.studies.tokenization;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.data.algorithm.SwitchingSource;
import dev.jformer.data.text.Corpus;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.TokenizerMethod;
import dev.jformer.model.CausalLm;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.train.TrainingConfig;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * Tokens of Markov sources (<a href="https://arxiv.org/abs/2404.08335">Toward a Theory of
 * Tokenization in LLMs</a>): the loss of independent tokens against the size of the dictionary, and
 * Transformers that learn with and without tokens.
 */
@AutoService(Study.class)
public final class TokenizationTheoryStudy implements Study {
  private static final double SWITCH = 0.2;
  private static final int LINE = 1000;
  private static final String CHARACTERS = "symbols";
  private static final String LONGER = "symbols, 4 times the updates";
  private static final List<TokenizerMethod> METHODS =
      List.of(
          TokenizerMethod.LZW,
          TokenizerMethod.BPE,
          TokenizerMethod.WORDPIECE,
          TokenizerMethod.UNIGRAM);

  /** Losses of one kind of dictionary by its size. */
  public record Dictionaries(List<IndependentTokens> points) {
    double last() {
      return points.get(points.size() - 1).bits();
    }

    double first() {
      return points.get(0).bits();
    }
  }

  /** What a Transformer learns from: tokens by a method, or symbols. */
  private record Learner(TokenizerMethod method, int times) {}

  @Override
  public void run(ExperimentContext lab) {
    List<Integer> orders = lab.pick(List.of(2), List.of(2, 3, 4), List.of(1, 2, 3, 4));
    Map<Integer, Measured<Dictionaries>> dictionaries = new TreeMap<>();
    Map<Integer, Measured<TrainingResult>> models = new TreeMap<>();
    for (int order : orders) {
      SwitchingSource source = new SwitchingSource(order, SWITCH, SWITCH);
      dictionaries.put(order, dictionaries(lab, source));
      models.put(order, models(lab, source));
    }
    claims(lab, dictionaries, models);
    dictionaries.forEach((order, each) -> figure(lab, order, each));
    models.forEach((order, each) -> table(lab, order, each));
    lab.note(
        "Each symbol differs from the one k before it with probability %s: %.4f bits a symbol are"
            + " needed, and one bit by a model of independent symbols. Dictionaries and shares are"
            + " learned from %,d symbols in lines of %,d and tried on half as many; no token goes"
            + " beyond a line. Transformers: two layers of width 64, windows of 64 positions,"
            + " batches of 16, AdamW with a peak rate of 1e-3, %,d updates. The paper's later"
            + " version says that Transformers without tokens learn incredibly slowly, not never:"
            + " what is claimed here is about these budgets.",
        SWITCH,
        new SwitchingSource(1, SWITCH, SWITCH).entropyRate(),
        symbols(lab),
        LINE,
        updates(lab));
  }

  private static int symbols(ExperimentContext lab) {
    return lab.pick(4000, 200_000, 1_000_000);
  }

  private static int updates(ExperimentContext lab) {
    return lab.pick(2, 1000, 10_000);
  }

  private static List<String> lines(SwitchingSource source, int symbols, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < symbols / LINE; i++) {
      lines.add(source.sample(LINE, random));
    }
    return lines;
  }

  private static Measured<Dictionaries> dictionaries(
      ExperimentContext lab, SwitchingSource source) {
    List<Integer> sizes =
        lab.pick(
            List.of(2, 8, 32),
            List.of(2, 4, 8, 16, 32, 64, 128, 256, 512, 1000),
            List.of(2, 4, 8, 16, 32, 64, 128, 256, 512, 1000));
    List<String> text = lines(source, symbols(lab), 1);
    List<String> heldOut = lines(source, symbols(lab) / 2, 2);
    return Arms.named(METHODS, TokenizerMethod::label)
        .measure(
            lab,
            method -> "dictionaries of order " + source.order() + ", " + method,
            Dictionaries.class,
            (method, progress) -> {
              List<IndependentTokens> points = new ArrayList<>();
              for (int size : sizes) {
                points.add(IndependentTokens.measure(method, 2, size, text, heldOut));
                progress.accept((double) points.size() / sizes.size());
              }
              return new Dictionaries(points);
            });
  }

  private static Measured<TrainingResult> models(ExperimentContext lab, SwitchingSource source) {
    return Arms.of("bpe tokens", new Learner(TokenizerMethod.BPE, 1))
        .arm("lzw tokens", new Learner(TokenizerMethod.LZW, 1))
        .control(CHARACTERS, new Learner(null, 1))
        .control(LONGER, new Learner(null, 4))
        .seeds(LONGER, 1)
        .learn(
            lab,
            "order " + source.order(),
            lab.pick(1, 3, 5),
            learner -> trial(lab, source, learner));
  }

  private static Trial<TrainingResult> trial(
      ExperimentContext lab, SwitchingSource source, Learner learner) {
    TrainingConfig training =
        Small.training(learner.times() * updates(lab), lab.pick(2, 16, 16), 1);
    CausalLm.Config model = Small.language(2, lab.pick(16, 64, 64), lab.pick(16, 64, 256), 4);
    return Trial.of(
        TrainingResult.class,
        session -> {
          List<String> lines = lines(source, 10 * symbols(lab), 100 + session.seed());
          try (TokenFile text = encoded(lab, lines, learner.method(), session.seed())) {
            TokenFile.Header header = text.header();
            double symbols = (double) header.validationBytes() / header.validationTokens();
            TrainingResult result =
                new LanguageTrial(model.withVocab(header.vocabulary()), training)
                    .run(session.withText(text));
            return result.with("bits", result.finalLoss() / symbols / Math.log(2));
          }
        });
  }

  private static TokenFile encoded(
      ExperimentContext lab, List<String> lines, TokenizerMethod method, long seed) {
    Path folder = lab.files("text-" + seed);
    try {
      Files.createDirectories(folder);
      Path file = Files.writeString(folder.resolve("text.txt"), String.join("\n", lines) + "\n");
      List<String> first = lines.subList(0, Math.max(1, lines.size() / 10));
      Tokenizer tokenizer =
          method == null
              ? new ByteTokenizer()
              : IndependentTokens.learn(method, first, lab.pick(6, 62, 62));
      return TokenFile.prepare(folder, Corpus.open(file, List.of()), tokenizer, 0.1, done -> {});
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write the text in " + folder, e);
    }
  }

  private static void claims(
      ExperimentContext lab,
      Map<Integer, Measured<Dictionaries>> dictionaries,
      Map<Integer, Measured<TrainingResult>> models) {
    List<Check> bounded = new ArrayList<>();
    List<Check> falling = new ArrayList<>();
    dictionaries.forEach(
        (order, runs) -> {
          SwitchingSource source = new SwitchingSource(order, SWITCH, SWITCH);
          Dictionaries lzw = runs.first(TokenizerMethod.LZW.label());
          IndependentTokens last = lzw.points().get(lzw.points().size() - 1);
          bounded.add(
              Check.atMost(
                  "bits a symbol of order %d, %d tokens".formatted(order, last.tokens()),
                  last.bits(),
                  source.bound(last.tokens())));
          runs.arms()
              .forEach(
                  arm ->
                      falling.add(
                          Check.below(
                              "bits a symbol of order %d, %s".formatted(order, arm.name()),
                              arm.first().last(),
                              0.95 * arm.first().first())));
        });
    lab.claim(
        "Independent tokens of the largest dictionary by Lempel, Ziv and Welch need no more bits"
            + " than the paper's bound",
        "at most the entropy rate over 1 - log(1/δ) / (0.99 log d) (theorem)",
        Check.all(bounded));
    lab.claim(
        "Independent tokens of the largest dictionaries need 5 % fewer bits than independent"
            + " symbols, whatever the order of the source and the way to find the tokens",
        "the loss nears the entropy rate as the dictionary grows", CHARACTERS, Check.all(falling));
    List<Check> nearer = new ArrayList<>();
    List<Check> stuck = new ArrayList<>();
    models.forEach(
        (order, runs) -> {
          for (String arm : List.of("bpe tokens", "lzw tokens")) {
            nearer.add(
                runs.below(
                    "bits a symbol of order %d, %s".formatted(order, arm),
                    arm,
                    CHARACTERS,
                    run -> run.metric("bits")));
          }
          stuck.add(
              Check.atLeast(
                  "bits a symbol of order " + order,
                  runs.of(CHARACTERS, run -> run.metric("bits")),
                  0.99));
        });
    lab.claim(
        "Transformers need fewer bits with tokens than without after as many updates, for each"
            + " order",
        "tokens break through the barrier (figure 2)",
        CHARACTERS,
        Check.all(nearer));
    lab.claim(
        "Transformers without tokens stay at the loss of independent symbols for this budget",
        "they predict symbols by their shares alone for orders above 1 (figure 2)",
        LONGER,
        Check.all(stuck));
  }

  private static void figure(ExperimentContext lab, int order, Measured<Dictionaries> runs) {
    SwitchingSource source = new SwitchingSource(order, SWITCH, SWITCH);
    List<Integer> sizes =
        runs.arms().get(0).first().points().stream().map(IndependentTokens::tokens).toList();
    List<Figure.Series> lines = new ArrayList<>();
    runs.arms()
        .forEach(
            arm ->
                lines.add(
                    Figure.Series.line(
                        arm.name(),
                        arm.first().points(),
                        IndependentTokens::tokens,
                        IndependentTokens::bits)));
    List<Integer> bounded = sizes.stream().filter(size -> source.bound(size) < 1.2).toList();
    lines.add(Figure.Series.line("bound", bounded, bounded.stream().map(source::bound).toList()));
    lines.add(
        Figure.Series.line(
            "entropy rate", sizes, sizes.stream().map(size -> source.entropyRate()).toList()));
    lab.figure(
        Figure.of("Independent tokens, order " + order, "tokens", "bits a symbol", lines)
            .withLogX());
    lab.table(
        runs.table(
            "Independent tokens of the largest dictionaries, order " + order,
            "tokens by",
            fixed("tokens", all -> last(all).tokens()),
            fixed("bits a symbol", all -> last(all).bits()),
            fixed("on the text learned from", all -> last(all).trainingBits()),
            fixed("symbols a token", all -> last(all).symbols()),
            fixed("seconds to learn", all -> last(all).seconds())));
  }

  private static IndependentTokens last(Dictionaries all) {
    return all.points().get(all.points().size() - 1);
  }

  private static void table(ExperimentContext lab, int order, Measured<TrainingResult> runs) {
    lab.table(
        runs.table(
            "Transformers, order " + order,
            "input",
            column("bits a symbol", run -> run.metric("bits")),
            column("nats a position", TrainingResult::finalLoss),
            column("seconds", TrainingResult::seconds),
            fixed("updates", TrainingResult::steps)));
    lab.figure(TrainingResult.figure(runs, "Transformers, order " + order, "nats a position"));
  }
}
