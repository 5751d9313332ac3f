package dev.jformer.studies.tokenization;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import dev.jformer.data.text.Corpus;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.TokenizerMethod;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
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

/**
 * Sub-word encoding of highest likelihood beside byte-pair encoding, word pieces, the unigram model
 * and Lempel, Ziv and Welch's dictionary of equal size: the likelihood of independent tokens, and
 * language models on the tokens.
 */
public final class SubwordLikelihood {
  private static final String BEST = TokenizerMethod.LIKELIHOOD.label();

  /** Share of the language models' text that is held out. */
  private static final double HELD_OUT = 0.1;

  private SubwordLikelihood() {}

  /** Measures and reports. */
  public static void run(ExperimentContext lab) {
    List<Integer> sizes = lab.pick(List.of(64), List.of(512, 2048), List.of(512, 2048, 8192));
    List<String> training = lines(text(lab, true));
    List<String> heldOut = lines(text(lab, false));
    for (int size : sizes) {
      Measured<IndependentTokens> runs =
          Arms.named(List.of(TokenizerMethod.values()), TokenizerMethod::label)
              .measure(
                  lab,
                  size + " sub-words, ",
                  IndependentTokens.class,
                  method -> IndependentTokens.measure(method, 0, size, training, heldOut));
      report(lab, size, runs);
    }
    models(lab, sizes.get(sizes.size() - 1));
  }

  /** The text of the study, up to a length. */
  private static String text(ExperimentContext lab, boolean training) {
    return training
        ? StudyText.of(lab.text().train(), lab.pick(20_000, 1_000_000, 5_000_000))
        : StudyText.of(lab.text().validation(), lab.pick(5_000, 200_000, 500_000));
  }

  /** Lines with their ends. */
  private static List<String> lines(String text) {
    List<String> lines = new ArrayList<>();
    for (int from = 0; from < text.length(); ) {
      int end = text.indexOf('\n', from);
      int next = end < 0 ? text.length() : end + 1;
      lines.add(text.substring(from, next));
      from = next;
    }
    return lines;
  }

  private static void report(ExperimentContext lab, int size, Measured<IndependentTokens> runs) {
    List<Check> training = new ArrayList<>();
    List<Check> heldOut = new ArrayList<>();
    for (String other : runs.without(BEST).names()) {
      training.add(
          runs.below("bits a character, " + other, BEST, other, IndependentTokens::trainingBits));
      heldOut.add(runs.below("bits a character, " + other, BEST, other, IndependentTokens::bits));
    }
    lab.claim(
        "The search for the highest likelihood makes a text more probable than all other ways to"
            + " learn %,d tokens".formatted(size),
        "an optimal solution for sub-word encoding (abstract)",
        TokenizerMethod.WORDPIECE.label(),
        Check.all(training));
    lab.claim(
        "The search for the highest likelihood makes held-out text more probable than all other"
            + " ways to learn %,d tokens".formatted(size),
        "",
        TokenizerMethod.WORDPIECE.label(),
        Check.all(heldOut));
    lab.table(
        runs.table(
            "Independent tokens: %,d beside the bytes".formatted(size),
            "tokens by",
            fixed("bits a character, held out", IndependentTokens::bits),
            fixed("on the text learned from", IndependentTokens::trainingBits),
            fixed("characters a token", IndependentTokens::symbols),
            fixed("seconds to learn", IndependentTokens::seconds)));
  }

  private static void models(ExperimentContext lab, int size) {
    Measured<TrainingResult> runs =
        Arms.of(BEST, TokenizerMethod.LIKELIHOOD)
            .control("bpe", TokenizerMethod.BPE)
            .arm("unigram", TokenizerMethod.UNIGRAM)
            .learn(
                lab, "language models on sub-words", lab.pick(1, 3, 3), m -> trial(lab, m, size));
    lab.claim(
        "A language model needs fewer bits a byte with tokens of the highest likelihood than with"
            + " those of byte-pair encoding, after as many updates",
        "",
        "bpe",
        runs.below("bits a byte", BEST, "bpe", run -> run.metric("bits")));
    lab.table(
        runs.table(
            "Language models on %,d tokens".formatted(size),
            "tokens by",
            column("bits a byte", run -> run.metric("bits")),
            column("nats a token", TrainingResult::finalLoss),
            column("seconds", TrainingResult::seconds)));
  }

  private static Trial<TrainingResult> trial(
      ExperimentContext lab, TokenizerMethod method, int size) {
    TrainingConfig training = Small.training(lab.pick(2, 1000, 20_000), lab.pick(2, 16, 16), 1);
    return Trial.of(
        TrainingResult.class,
        session -> {
          try (TokenFile text = tokens(lab, method, size)) {
            TokenFile.Header header = text.header();
            double bytes = (double) header.validationBytes() / header.validationTokens();
            TrainingResult result =
                new LanguageTrial(
                        Small.language(2, lab.pick(16, 64, 512), lab.pick(16, 64, 256), 4)
                            .withVocab(header.vocabulary()),
                        training)
                    .run(session.withText(text));
            return result.with("bits", result.finalLoss() / bytes / Math.log(2));
          }
        });
  }

  /** The text as tokens, which are learned from the part that is not held out. */
  private static TokenFile tokens(ExperimentContext lab, TokenizerMethod method, int size) {
    Path folder = lab.files("sub-words-" + method.label());
    try {
      Files.createDirectories(folder);
      Path file = folder.resolve("text.txt");
      if (!Tokenizers.exists(folder)) {
        String text = text(lab, true);
        Files.writeString(file, text);
        String learned = text.substring(0, (int) ((1 - HELD_OUT) * text.length()));
        IndependentTokens.learn(method, lines(learned), size).save(folder);
      }
      return TokenFile.prepare(
          folder, Corpus.open(file, List.of()), Tokenizers.load(folder), HELD_OUT, done -> {});
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write the text in " + folder, e);
    }
  }
}
