package dev.jformer.words;

import dev.jformer.data.text.Corpus;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The sentences of a text as words: a line is a sentence, a word is a run of letters and digits in
 * lower case, with apostrophes within.
 */
public final class Sentences implements Corpus.Reader {
  private static final Pattern WORD =
      Pattern.compile("[\\p{L}\\p{N}]+(?:['’][\\p{L}]+)*", Pattern.UNICODE_CHARACTER_CLASS);

  private final List<List<String>> all = new ArrayList<>();

  @Override
  public void piece(String text) {
    text.lines().map(Sentences::words).filter(words -> !words.isEmpty()).forEach(all::add);
  }

  /** The words of a sentence. */
  public static List<String> words(String sentence) {
    List<String> words = new ArrayList<>();
    Matcher found = WORD.matcher(sentence.toLowerCase(Locale.ROOT));
    while (found.find()) {
      words.add(found.group());
    }
    return words;
  }

  /** The sentences so far. */
  public List<List<String>> all() {
    return all;
  }

  /** Reads a corpus. */
  public static Sentences of(Corpus corpus) throws IOException {
    Sentences sentences = new Sentences();
    corpus.read(sentences);
    return sentences;
  }
}
