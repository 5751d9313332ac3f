package dev.jformer.data.label;

import dev.jformer.data.DataException;
import dev.jformer.program.LabelKind;
import dev.jformer.program.LabelScheme;
import dev.jformer.program.Lexicon;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.random.RandomGenerator;

/**
 * Encodes words with their labels as a {@link LabelScheme} says. A sentence whose words have labels
 * is cut into pieces that are short enough; of a text that has one label, what is too long is left
 * out.
 */
public final class WordEncoder {
  private final LabelScheme scheme;
  private final Lexicon lexicon;
  private final Map<String, Integer> labels = new HashMap<>();

  /** By token: the code that it has if it is taken for unknown. */
  private final int[] unknown;

  /** Creates an encoder of words. */
  public WordEncoder(LabelScheme scheme) {
    this.scheme = scheme;
    this.lexicon = new Lexicon(scheme.tokens());
    scheme.labels().forEach(label -> labels.put(label, labels.size()));
    this.unknown = new int[scheme.tokens().size()];
    Arrays.setAll(
        unknown,
        code -> {
          String token = scheme.tokens().get(code);
          return Lexicon.SPECIAL.contains(token) ? code : lexicon.special(Lexicon.shape(token));
        });
  }

  /**
   * What the words of a training are, and how they are labelled.
   *
   * @param texts of the training
   * @param least how often a word is seen at least to be known
   * @param length the most tokens of a sequence, {@link Lexicon#START} included
   */
  public static LabelScheme scheme(
      LabelKind kind, List<LabelledWords> texts, int least, int length) {
    List<String> words = texts.stream().flatMap(text -> text.words().stream()).toList();
    TreeSet<String> labels = new TreeSet<>();
    texts.forEach(text -> labels.addAll(text.labels()));
    return new LabelScheme(Lexicon.learned(words, least), List.copyOf(labels), length, false, kind);
  }

  /**
   * Encodes texts.
   *
   * @param source where they are from, for the error
   * @throws DataException if a label is not one of the scheme's
   */
  public List<LabelledSequence> encode(List<LabelledWords> texts, String source) {
    List<LabelledSequence> all = new ArrayList<>();
    int most = scheme.mostInputs();
    for (LabelledWords text : texts) {
      int[] numbers = text.labels().stream().mapToInt(label -> number(label, source)).toArray();
      if (scheme.kind() == LabelKind.TEXTS) {
        List<String> words = text.words().subList(0, Math.min(most, text.words().size()));
        all.add(new LabelledSequence(codes(words), numbers));
        continue;
      }
      for (int from = 0; from < numbers.length; from += most) {
        int to = Math.min(numbers.length, from + most);
        int[] own = new int[to - from + 1];
        own[0] = LabelledSequence.NONE;
        System.arraycopy(numbers, from, own, 1, to - from);
        all.add(new LabelledSequence(codes(text.words().subList(from, to)), own, from > 0));
      }
    }
    return all;
  }

  /** How many of some texts are longer than a sequence can be. */
  public long longer(List<LabelledWords> texts) {
    return texts.stream().filter(text -> text.words().size() > scheme.mostInputs()).count();
  }

  private int[] codes(List<String> words) {
    int[] codes = new int[words.size() + 1];
    codes[0] = lexicon.special(Lexicon.START);
    for (int i = 0; i < words.size(); i++) {
      codes[i + 1] = lexicon.code(words.get(i));
    }
    return codes;
  }

  private int number(String label, String source) {
    Integer number = labels.get(label);
    if (number == null) {
      throw new DataException(
          source
              + " has the label '"
              + label
              + "', which the training did not have: expected "
              + String.join(", ", scheme.labels()));
    }
    return number;
  }

  /**
   * Takes some words of a sequence for unknown, so that a model learns what to do with such.
   *
   * @param share of the words, drawn anew each time
   */
  LabelledSequence withUnknown(LabelledSequence sequence, double share, RandomGenerator random) {
    int[] tokens = sequence.tokens().clone();
    for (int i = 0; i < tokens.length; i++) {
      if (random.nextDouble() < share) {
        tokens[i] = unknown[tokens[i]];
      }
    }
    return new LabelledSequence(tokens, sequence.labels(), sequence.continues());
  }
}
