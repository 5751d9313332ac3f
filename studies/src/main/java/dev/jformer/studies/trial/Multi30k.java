package dev.jformer.studies.trial;

import dev.jformer.data.text.PairBatch;
import dev.jformer.data.text.ParallelTexts;
import dev.jformer.data.text.TokenPair;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.TokenizerMethod;
import dev.jformer.decode.BeamSearch;
import dev.jformer.decode.BeamTranslator;
import dev.jformer.metrics.Bleu;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.studies.DataSets;
import dev.jformer.studies.Scale;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.Translation;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The Multi30k data set of image descriptions with translations from English to German. At laptop
 * scale only short pairs are used; at smoke scale a few synthetic ones replace them. One vocabulary
 * is learned from both languages. Paper: <a href="https://arxiv.org/abs/1605.00459">Multi30K:
 * Multilingual English-German Image Descriptions</a>.
 *
 * @param tokenizer of both languages
 * @param training pairs
 * @param validation pairs, to measure losses
 * @param test pairs, to measure BLEU
 */
public record Multi30k(
    Tokenizer tokenizer, ParallelTexts training, ParallelTexts validation, ParallelTexts test) {
  /** The maximum number of words of a text or translation at laptop scale. */
  public static final int SHORT = 12;

  private static final int TOGETHER = 64;
  private static final List<String> ENGLISH =
      List.of("one", "two", "three", "four", "five", "six", "seven", "eight", "nine");
  private static final List<String> GERMAN =
      List.of("eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun");

  /**
   * Reads the texts.
   *
   * @param vocabulary number of tokens
   * @param most maximum number of training pairs
   * @throws dev.jformer.data.DataException if the files are not found
   */
  public static Multi30k of(Scale scale, int vocabulary, int most) {
    SplittableRandom random = new SplittableRandom(1);
    return switch (scale) {
      case SMOKE -> of(made(48, random), made(8, random), made(8, random), vocabulary, most);
      case LAPTOP ->
          of(
              brief(read("train")),
              brief(read("val")),
              brief(read("test_2016_flickr")),
              vocabulary,
              most);
      case PAPER -> of(read("train"), read("val"), read("test_2016_flickr"), vocabulary, most);
    };
  }

  private static Multi30k of(
      ParallelTexts all, ParallelTexts validation, ParallelTexts test, int vocabulary, int most) {
    try {
      ParallelTexts training = all.slice(0, Math.min(most, all.size()));
      Tokenizer tokenizer = training.vocabulary(TokenizerMethod.BPE).train(vocabulary, count -> {});
      return new Multi30k(tokenizer, training, validation, test);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot learn a vocabulary from Multi30k", e);
    }
  }

  private static ParallelTexts read(String name) {
    Path english = DataSets.require("multi30k/" + name + ".en.gz");
    Path german = DataSets.require("multi30k/" + name + ".de.gz");
    return ParallelTexts.read(english, german).withoutBlanks();
  }

  private static ParallelTexts brief(ParallelTexts all) {
    List<String> from = new ArrayList<>();
    List<String> to = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      if (words(all.source().get(i)) <= SHORT && words(all.target().get(i)) <= SHORT) {
        from.add(all.source().get(i));
        to.add(all.target().get(i));
      }
    }
    return new ParallelTexts(List.copyOf(from), List.copyOf(to));
  }

  private static int words(String text) {
    return text.strip().split("\\s+").length;
  }

  private static ParallelTexts made(int count, SplittableRandom random) {
    List<String> from = new ArrayList<>();
    List<String> to = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      List<String> english = new ArrayList<>();
      List<String> german = new ArrayList<>();
      int words = 1 + random.nextInt(4);
      for (int w = 0; w < words; w++) {
        int number = random.nextInt(ENGLISH.size());
        english.add(ENGLISH.get(number));
        german.add(GERMAN.get(number));
      }
      from.add(String.join(" ", english));
      to.add(String.join(" ", german));
    }
    return new ParallelTexts(from, to);
  }

  /** Returns a configuration with the size of this vocabulary. */
  public EncoderDecoder.Config fit(EncoderDecoder.Config config) {
    return config.sized(tokenizer.vocabularySize(), tokenizer.endOfText().orElse(-1));
  }

  /** Returns pairs as tokens of a model. */
  public List<TokenPair> tokens(ParallelTexts texts, EncoderDecoder model) {
    return TokenPair.of(texts, tokenizer, model.end(), model.config().length());
  }

  /** Returns the {@link Bleu} score of a model's greedy translations of the test texts. */
  public double bleu(EncoderDecoder model) {
    BeamTranslator translator =
        new BeamTranslator(model, tokenizer, new BeamSearch.Settings(1), TOGETHER);
    return Bleu.of(translator.translate(test.source(), done -> {}), test.target()).score();
  }

  /** Returns the loss of each token of the validation texts, in nats. */
  public double[] tokenLosses(EncoderDecoder model) {
    List<TokenPair> pairs = tokens(validation, model);
    List<double[]> parts = new ArrayList<>();
    for (int from = 0; from < pairs.size(); from += TOGETHER) {
      try (Scope scope = Scope.open()) {
        PairBatch batch =
            PairBatch.of(pairs.subList(from, Math.min(pairs.size(), from + TOGETHER)));
        Tensor logs = Translation.logits(model, batch).logSoftmax(1);
        parts.add(logs.gather(1, batch.targets().unsqueeze(1)).neg().toDoubles());
      }
    }
    return parts.stream().flatMapToDouble(Arrays::stream).toArray();
  }

  /** Describes the data set and the part of it that is used, for reports. */
  public String description() {
    return "Multi30k, English to German, the pairs of at most "
        + SHORT
        + " words a side ("
        + training().size()
        + " to learn from, "
        + test().size()
        + " to be translated greedily)";
  }
}
