package dev.jformer.data.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class MisspellingsTest {
  private static String sorted(String word) {
    return word.chars().sorted().mapToObj(c -> "" + (char) c).reduce("", String::concat);
  }

  @Test
  void exchangesTwoNeighbouringLettersOfLongerWords() {
    String text = "a longest  sentence of the words";
    String[] words = text.split(" ", -1);
    SplittableRandom random = new SplittableRandom(1);
    for (int i = 0; i < 20; i++) {
      String[] misspelt = new Misspellings(1).in(text, random).split(" ", -1);
      for (int w = 0; w < words.length; w++) {
        assertEquals(sorted(words[w]), sorted(misspelt[w]), "the same letters");
        if (words[w].length() <= 3) {
          assertEquals(words[w], misspelt[w]);
        }
      }
    }
  }

  @Test
  void misspellsAShareOfTheWords() {
    String text = "word ".repeat(3000);
    String misspelt = new Misspellings(3).in(text, new SplittableRandom(1));
    assertEquals(misspelt, new Misspellings(3).in(text, new SplittableRandom(1)));
    int changed = 0;
    for (String word : misspelt.split(" ")) {
      changed += word.equals("word") ? 0 : 1;
    }
    assertEquals(1000, changed, 100);
    assertThrows(IllegalArgumentException.class, () -> new Misspellings(0));
  }
}
