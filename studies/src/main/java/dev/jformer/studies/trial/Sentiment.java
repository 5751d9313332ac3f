package dev.jformer.studies.trial;

import dev.jformer.config.Configs;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.hub.Models;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.studies.DataSets;
import dev.jformer.studies.Scale;
import dev.jformer.tensor.Random;
import dev.jformer.train.TextClassification;
import dev.jformer.train.TextClassification.Example;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The SST-2 data set of sentences with positive or negative sentiment, and the pretrained encoder
 * all-MiniLM-L6-v2 to fine-tune on it. At smoke scale both are small and synthetic.
 */
public final class Sentiment {
  /** The maximum number of tokens of a sentence; longer ones are cut. */
  private static final int LONGEST = 48;

  private static final int CLASSES = 2;

  private final Scale scale;
  private final MadeUp madeUp;
  private final Tokenizer tokenizer;
  private final List<Sentence> training;
  private final List<Sentence> test;

  /**
   * A sentence.
   *
   * @param text its words, with blanks between them
   * @param label 1 if it is kind, else 0
   */
  public record Sentence(String text, int label) {
    /** How many words it has. */
    public int words() {
      return text.split(" ", -1).length;
    }
  }

  /** What stands in for data and model at smoke scale. */
  private record MadeUp(String word, int most, int width) {
    List<Sentence> sentences() {
      List<Sentence> all = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        String text = (i % 2 == 0 ? "bad " : "good ") + word.repeat(1 + i % most);
        all.add(new Sentence(text.strip(), i % 2));
      }
      return all;
    }
  }

  private Sentiment(Scale scale, int words, MadeUp madeUp) {
    this.scale = scale;
    this.madeUp = madeUp;
    this.tokenizer = scale == Scale.SMOKE ? new ByteTokenizer() : Tokenizers.load(MiniLm.folder());
    this.training = read("train.tsv").stream().filter(s -> s.words() <= words).toList();
    this.test = read("dev.tsv");
  }

  /**
   * Reads the sentences.
   *
   * @param words maximum number of words of training sentences
   */
  public Sentiment(Scale scale, int words) {
    this(scale, words, new MadeUp("film", 5, 32));
  }

  /** Reads all sentences; at smoke scale they have up to 31 words. */
  public Sentiment(Scale scale) {
    this(scale, Integer.MAX_VALUE, new MadeUp("film ", 30, 16));
  }

  private List<Sentence> read(String name) {
    if (scale == Scale.SMOKE) {
      return madeUp.sentences();
    }
    Path file = DataSets.require("sst2/" + name);
    try {
      return Files.readAllLines(file).stream()
          .map(line -> line.split("\t", -1))
          .map(parts -> new Sentence(parts[0], Integer.parseInt(parts[1].strip())))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
  }

  /** The sentences to learn from. */
  public List<Sentence> training() {
    return training;
  }

  /** The sentences to be judged by. */
  public List<Sentence> test() {
    return test;
  }

  /** The tokens of a sentence. */
  public int[] tokens(String sentence) {
    return tokenizer.encodeWhole(sentence, LONGEST);
  }

  private List<Example> examples(List<Sentence> sentences) {
    return sentences.stream().map(s -> new Example(tokens(s.text()), s.label())).toList();
  }

  /** Returns the pretrained encoder, in inference mode. */
  public Encoder pretrained() {
    if (scale != Scale.SMOKE) {
      try {
        return (Encoder) Models.load(MiniLm.folder());
      } catch (IOException e) {
        throw new UncheckedIOException("cannot read all-MiniLM-L6-v2", e);
      }
    }
    Random.seed(1);
    String small =
        "{\"model\":\"encoder\",\"layers\":2,\"width\":"
            + madeUp.width()
            + ",\"vocab\":256,\"length\":64,\"mixer\":{\"heads\":2}}";
    Encoder encoder =
        ((Encoder.Config) Configs.parse(small, Model.Config.class)).sized(256, 0).build();
    encoder.train(false);
    return encoder;
  }

  /** Returns a copy of a pretrained encoder, compressed or not, with a new classification layer. */
  public Encoder classifier(Encoder pretrained, long seed) {
    Random.seed(seed);
    Encoder.Config config = pretrained.config();
    Encoder made = config.sized(config.tokens(), CLASSES).build();
    made.copyFrom(pretrained);
    return made;
  }

  /** Returns the training task of a classifier, with 5 % of the sentences held out. */
  public TextClassification task(Encoder classifier, int batch, long seed) {
    return task(classifier, training, batch, seed);
  }

  /** As above, of other sentences. */
  public TextClassification task(
      Encoder classifier, List<Sentence> sentences, int batch, long seed) {
    return new TextClassification(classifier, examples(sentences), 0.05, batch, seed);
  }

  /** Returns the accuracy of a classifier on the test sentences, 0 to 1. */
  public double right(Encoder classifier) {
    return right(classifier, test);
  }

  /** The share of some sentences that a classifier gets right. */
  public double right(Encoder classifier, List<Sentence> sentences) {
    return TextClassification.evaluate(classifier, examples(sentences)).accuracy();
  }
}
