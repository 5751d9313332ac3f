package dev.jformer.app.command;

import dev.jformer.data.text.LabelledTexts;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.train.TextClassification;
import java.util.ArrayList;
import java.util.List;

/** Labelled texts as a classifier takes them. */
final class ClassifiedTexts {
  private ClassifiedTexts() {}

  /**
   * The texts in tokens, with the numbers of their classes.
   *
   * @param longest the most tokens of a text, special ones among them
   * @param source where they come from, for messages
   */
  static List<TextClassification.Example> of(
      LabelledTexts texts, Classes classes, Tokenizer tokenizer, int longest, String source) {
    int[] numbers = classes.numbers(texts.classes(), source);
    List<TextClassification.Example> examples = new ArrayList<>();
    for (int i = 0; i < texts.texts().size(); i++) {
      int[] ids = tokenizer.encodeWhole(texts.texts().get(i), longest);
      examples.add(new TextClassification.Example(ids, numbers[texts.labels().get(i)]));
    }
    return examples;
  }
}
