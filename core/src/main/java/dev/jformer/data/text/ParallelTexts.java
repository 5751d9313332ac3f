package dev.jformer.data.text;

import dev.jformer.data.DataException;
import dev.jformer.data.tokenizer.TokenizerMethod;
import dev.jformer.data.tokenizer.TokenizerTrainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Texts in two languages; line n of one file is the translation of line n of the other.
 *
 * @param source the texts to translate
 * @param target their translations
 */
public record ParallelTexts(List<String> source, List<String> target) {
  /** Checks that there are as many translations as texts. */
  public ParallelTexts {
    if (source.size() != target.size()) {
      throw new DataException(
          source.size() + " texts have " + target.size() + " translations: expected one for each");
    }
  }

  /**
   * Reads two files, plain or compressed by gzip, with a text a line.
   *
   * @throws DataException if they cannot be read, are empty, or have different numbers of lines
   */
  public static ParallelTexts read(Path source, Path target) {
    List<String> from = TextLines.read(source);
    List<String> to = TextLines.read(target);
    if (from.size() != to.size()) {
      throw new DataException(
          source
              + " has "
              + from.size()
              + " lines and "
              + target
              + " has "
              + to.size()
              + ": expected line n of the one to be the translation of line n of the other; "
              + LineMismatch.of(from, to));
    }
    if (from.isEmpty()) {
      throw new DataException(source + " is empty: expected a text in each line");
    }
    return new ParallelTexts(from, to);
  }

  /** Number of pairs. */
  public int size() {
    return source.size();
  }

  /** The pairs without those in which a text is blank, from which nothing can be learned. */
  public ParallelTexts withoutBlanks() {
    List<String> from = new ArrayList<>();
    List<String> to = new ArrayList<>();
    for (int i = 0; i < size(); i++) {
      if (!source.get(i).isBlank() && !target.get(i).isBlank()) {
        from.add(source.get(i));
        to.add(target.get(i));
      }
    }
    return new ParallelTexts(List.copyOf(from), List.copyOf(to));
  }

  /** The pairs {@code from … to - 1}. */
  public ParallelTexts slice(int from, int to) {
    return new ParallelTexts(source.subList(from, to), target.subList(from, to));
  }

  /** A trainer of one vocabulary for both languages, which has read all texts. */
  public TokenizerTrainer vocabulary(TokenizerMethod method) {
    TokenizerTrainer trainer = method.trainer();
    source.forEach(trainer::piece);
    target.forEach(trainer::piece);
    return trainer;
  }
}
