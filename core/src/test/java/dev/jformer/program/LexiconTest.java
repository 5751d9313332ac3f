package dev.jformer.program;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class LexiconTest {
  @Test
  void frequentWordsAreLearned() {
    List<String> words =
        List.of("the", "cat", "the", "The", "1984", "2001", "cat", "the", "a b", "\u2003", "<s>");
    List<String> expected = new java.util.ArrayList<>(Lexicon.SPECIAL);
    expected.addAll(List.of("the", "0000", "cat"));
    assertEquals(expected, Lexicon.learned(words, 2));
    expected.add("The");
    assertEquals(expected, Lexicon.learned(words, 1));
  }

  /** The word itself, its lower case, its shape. */
  @Test
  void unknownWordsAreReadByTheirShape() {
    List<String> tokens = Lexicon.learned(List.of("The", "the", "cat", "Bath", "0th"), 1);
    Lexicon lexicon = new Lexicon(tokens);
    List<List<String>> cases =
        List.of(
            List.of("the", "the"),
            List.of("The", "The"),
            List.of("THE", "the"),
            List.of("CAT", "cat"),
            List.of("bath", "<unk>"),
            List.of("7th", "0th"),
            List.of("7TH", "0th"),
            List.of("8x", "<0>"),
            List.of("Dog", "<Unk>"),
            List.of("iPhone", "<Unk>"),
            List.of("DOG", "<UNK>"),
            List.of("A", "<UNK>"),
            List.of("...", "<unk>"),
            List.of("@anna", "<@>"),
            List.of("@anna1", "<@>"),
            List.of("http://t.co/1", "<url>"),
            List.of("www.x.org", "<url>"),
            List.of("\u00e4pfel", "<unk>"),
            List.of("\u00c4pfel", "<Unk>"),
            List.of("", "<unk>"));
    for (List<String> one : cases) {
      assertEquals(one.get(1), tokens.get(lexicon.code(one.get(0))), one.get(0));
    }
  }

  @Test
  void tokensOfWordsAreChecked() {
    List<String> labels = List.of("a", "b");
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> new LabelScheme(List.of("the"), labels, 4, false, LabelKind.WORDS))
            .getMessage();
    assertTrue(message.contains("have to contain [<s>, <unk>"), message);
    List<String> spaced = new java.util.ArrayList<>(Lexicon.SPECIAL);
    spaced.add("New York");
    message =
        assertThrows(
                IllegalArgumentException.class,
                () -> new LabelScheme(spaced, labels, 4, false, LabelKind.TEXTS))
            .getMessage();
    assertTrue(message.contains("'New York' is empty or has a space"), message);
  }
}
