package dev.jformer.studies.trial;

import dev.jformer.data.text.LabelledTexts;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.model.Encoder;
import dev.jformer.run.LabelledTextData;
import dev.jformer.run.PreparedData;
import dev.jformer.run.Recipe;
import dev.jformer.run.TextClassificationJob;
import dev.jformer.studies.DataSets;
import dev.jformer.studies.Scale;
import dev.jformer.train.TextClassification;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The TREC data set of questions in six classes by what they ask for, and a pretrained encoder to
 * tune on it. At smoke scale the questions are few and synthetic.
 */
public final class Questions {
  private static final int MADE_UP = 40;

  private final Path encoder;
  private final Tokenizer tokenizer;
  private final LabelledTexts training;
  private final LabelledTexts test;

  /**
   * Reads the questions.
   *
   * @param encoder folder of the pretrained encoder, with its tokenizer
   */
  public Questions(Scale scale, Path encoder) {
    this.encoder = encoder;
    this.tokenizer = Tokenizers.load(encoder);
    this.training = read(scale, "train.tsv");
    this.test = read(scale, "test.tsv");
  }

  private static LabelledTexts read(Scale scale, String name) {
    return scale == Scale.SMOKE
        ? madeUp()
        : LabelledTexts.read(DataSets.require("trec/" + name), false);
  }

  private static LabelledTexts madeUp() {
    List<String> texts = new ArrayList<>();
    List<Integer> labels = new ArrayList<>();
    for (int i = 0; i < MADE_UP; i++) {
      texts.add((i % 2 == 0 ? "who is " : "what is ") + "x".repeat(1 + i % 5));
      labels.add(i % 2);
    }
    return new LabelledTexts(texts, labels, List.of("person", "thing"));
  }

  /** The folder of the pretrained encoder. */
  public Path encoder() {
    return encoder;
  }

  /** The number of questions to learn from, those held out included. */
  public int count() {
    return training.texts().size();
  }

  /** The prepared questions to learn from. */
  public PreparedData data() {
    return TextClassificationJob.of(training, tokenizer);
  }

  /** A recipe that tunes the pretrained encoder; 5 % of the questions are held out. */
  public Recipe recipe() {
    return new Recipe().withData(new LabelledTextData().withValidation(0.05)).withFrom(encoder);
  }

  /** The accuracy of a classifier on the test questions, 0 to 1. */
  public double right(Encoder classifier) {
    int longest = classifier.config().length();
    List<TextClassification.Example> examples =
        IntStream.range(0, test.texts().size())
            .mapToObj(
                i ->
                    new TextClassification.Example(
                        tokenizer.encodeWhole(test.texts().get(i), longest), test.labels().get(i)))
            .toList();
    return TextClassification.evaluate(classifier, examples).accuracy();
  }
}
