package dev.jformer.data.label;

import dev.jformer.data.text.LabelledTexts;
import dev.jformer.data.text.TaggedTexts;
import dev.jformer.data.text.Word;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The words of a text and their labels.
 *
 * @param words at least one
 * @param labels one for each word, or one for the text
 */
public record LabelledWords(List<String> words, List<String> labels) {
  /** Copies the lists. */
  public LabelledWords {
    words = List.copyOf(words);
    labels = List.copyOf(labels);
  }

  /** Sentences with the tags of their words. */
  public static List<LabelledWords> of(TaggedTexts texts) {
    return texts.sentences().stream()
        .map(sentence -> new LabelledWords(sentence.words(), sentence.tags()))
        .toList();
  }

  /**
   * Texts with their labels. They are split as {@link Word} does; a text without words is left out.
   */
  public static List<LabelledWords> of(LabelledTexts texts) {
    return IntStream.range(0, texts.texts().size())
        .mapToObj(
            i ->
                new LabelledWords(
                    Word.split(texts.texts().get(i)).stream().map(Word::text).toList(),
                    List.of(texts.classes().get(texts.labels().get(i)))))
        .filter(some -> !some.words().isEmpty())
        .toList();
  }
}
