package dev.jformer.data.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TaggedTextsTest {
  @TempDir Path folder;

  private Path file(String content) throws IOException {
    return Files.writeString(folder.resolve("some.conll"), content);
  }

  @Test
  void readsTwoColumnsWithTabs() throws IOException {
    TaggedTexts texts =
        TaggedTexts.read(file("Ada\tB-per\nLovelace\tI-per\n\n\n#\tO\n\u200b\tO\nNew York\tB-loc"));
    assertEquals(
        List.of(
            new TaggedTexts.Sentence(List.of("Ada", "Lovelace"), List.of("B-per", "I-per")),
            new TaggedTexts.Sentence(
                List.of("#", "\u200b", "New York"), List.of("O", "O", "B-loc"))),
        texts.sentences());
    assertEquals(List.of("B-loc", "B-per", "I-per", "O"), texts.tags());
  }

  @Test
  void readsFourColumnsWithSpacesAndDocuments() throws IOException {
    TaggedTexts texts =
        TaggedTexts.read(
            file("-DOCSTART- -X- -X- O\r\n\r\nEU NNP B-NP B-ORG\r\nrejects VBZ  B-VP O\r\n"));
    assertEquals(
        List.of(new TaggedTexts.Sentence(List.of("EU", "rejects"), List.of("B-ORG", "O"))),
        texts.sentences());
  }

  @ParameterizedTest
  @CsvSource({
    "'a\tO\nb\n', line 2 has one column",
    "'a\tO\n\nb\tx\tO\n', 'line 3 has 3 columns: expected 2 as in line 1'",
    "'a\tO\n\tO\n', line 2 has no word before the tag 'O'",
    "'a\tO\nb\tPER\n', line 2 has the tag 'PER': expected O",
    "'a\tO\nb\t\n', line 2 has the tag ''",
    "'a NN O\nb O\n', line 2 has 2 columns: expected 3",
    "'\n\n', holds no words"
  })
  void aMalformedLineIsNamed(String content, String message) throws IOException {
    Path file = file(content);
    DataException fault = assertThrows(DataException.class, () -> TaggedTexts.read(file));
    assertTrue(fault.getMessage().contains(message.replace("''", "'")), fault.getMessage());
  }

  @Test
  void aTextIsSplitAtSpacesAndPunctuation() {
    String text = "Ada's friend @max (b. 1,000.5) won't go to St.-Denis... #now! 東京";
    List<Word> words = Word.split(text);
    assertEquals(
        List.of(
            "Ada's", "friend", "@max", "(", "b", ".", "1,000.5", ")", "won't", "go", "to", "St",
            ".", "-", "Denis", ".", ".", ".", "#now", "!", "東京"),
        words.stream().map(Word::text).toList());
    for (Word word : words) {
      assertEquals(word.text(), text.substring(word.start(), word.end()));
    }
    assertEquals(List.of(), Word.split(" \t\n\u00a0"));
    assertEquals(1, Word.split("😀").size());
  }
}
