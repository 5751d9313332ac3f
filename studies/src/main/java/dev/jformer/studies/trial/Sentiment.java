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
  private final Tokenizer tokenizer;
  private final List<Example> training;
  private final List<Example> test;

  /**
   * Reads the sentences.
   *
   * @param words maximum number of words of training sentences
   */
  public Sentiment(Scale scale, int words) {
    this.scale = scale;
    this.tokenizer = scale == Scale.SMOKE ? new ByteTokenizer() : Tokenizers.load(MiniLm.folder());
    this.training = examples("train.tsv", words);
    this.test = examples("dev.tsv", Integer.MAX_VALUE);
  }

  private List<Example> examples(String name, int words) {
    List<Example> examples = new ArrayList<>();
    for (String line : lines(name)) {
      String[] parts = line.split("\t", -1);
      if (parts[0].split(" ", -1).length <= words) {
        int label = Integer.parseInt(parts[1].strip());
        examples.add(new Example(tokenizer.encodeWhole(parts[0], LONGEST), label));
      }
    }
    return examples;
  }

  private List<String> lines(String name) {
    if (scale == Scale.SMOKE) {
      List<String> made = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        made.add((i % 2 == 0 ? "bad " : "good ") + "film".repeat(1 + i % 5) + "\t" + i % 2);
      }
      return made;
    }
    Path file = DataSets.require("sst2/" + name);
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
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
        "{\"model\":\"encoder\",\"layers\":2,\"width\":32,\"vocab\":256,\"length\":64,"
            + "\"mixer\":{\"heads\":2}}";
    Encoder encoder =
        ((Encoder.Config) Configs.parse(small, Model.Config.class)).sized(256, 0).build();
    encoder.train(false);
    return encoder;
  }

  /** Returns a copy of a pretrained encoder, compressed or not, with a new classification layer. */
  public Encoder classifier(Encoder pretrained, long seed) {
    Random.seed(seed);
    Encoder.Config config = pretrained.config();
    Encoder made = config.sized(config.vocab(), CLASSES).build();
    made.copyFrom(pretrained);
    return made;
  }

  /** Returns the training task of a classifier, with 5 % of the sentences held out. */
  public TextClassification task(Encoder classifier, int batch, long seed) {
    return new TextClassification(classifier, training, 0.05, batch, seed);
  }

  /** Returns the accuracy of a classifier on the test sentences, 0 to 1. */
  public double right(Encoder classifier) {
    return TextClassification.evaluate(classifier, test).accuracy();
  }
}
