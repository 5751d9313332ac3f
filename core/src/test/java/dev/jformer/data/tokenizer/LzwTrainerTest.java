package dev.jformer.data.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.algorithm.SwitchingSource;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class LzwTrainerTest {
  private static Tokenizer learned(String word, int more) throws IOException {
    LzwTrainer trainer = new LzwTrainer();
    trainer.piece(word);
    return trainer.train(257 + more, count -> {});
  }

  /** The textbook's algorithm on a set of strings. */
  private static List<String> dictionary(String word) {
    Set<String> known = new LinkedHashSet<>(List.of("a", "b"));
    String piece = "";
    for (int i = 0; i < word.length(); i++) {
      char c = word.charAt(i);
      if (known.contains(piece + c)) {
        piece += c;
      } else {
        known.add(piece + c);
        piece = String.valueOf(c);
      }
    }
    return List.copyOf(known).subList(2, known.size());
  }

  @Test
  void learnsTheDictionaryOfTheTextbook() throws IOException {
    String word = new SwitchingSource(2, 0.3, 0.2).sample(5000, new SplittableRandom(1));
    List<String> expected = dictionary(word);
    assertTrue(expected.size() > 500);
    Tokenizer tokenizer = learned(word, 1 << 16);
    List<String> found = new ArrayList<>();
    for (int id = 257; id < tokenizer.vocabularySize(); id++) {
      found.add(tokenizer.decode(new int[] {id}));
    }
    assertEquals(expected, found);
  }

  /** A smaller vocabulary is the beginning of a larger one, and the longest token is taken. */
  @Test
  void takesTheLongestTokenFromTheLeft() throws IOException {
    SwitchingSource source = new SwitchingSource(3, 0.2, 0.2);
    String word = source.sample(5000, new SplittableRandom(2));
    String other = source.sample(3000, new SplittableRandom(3));
    for (int more : new int[] {0, 1, 7, 64, 300}) {
      Map<String, Integer> ids = new HashMap<>();
      Tokenizer tokenizer = learned(word, more);
      assertEquals(257 + more, tokenizer.vocabularySize());
      for (String piece : List.of("a", "b")) {
        ids.put(piece, tokenizer.encode(piece)[0]);
      }
      dictionary(word).subList(0, more).forEach(piece -> ids.put(piece, 255 + ids.size()));
      List<Integer> expected = new ArrayList<>();
      for (int at = 0; at < other.length(); ) {
        int end = Math.min(other.length(), at + 64);
        while (!ids.containsKey(other.substring(at, end))) {
          end--;
        }
        expected.add(ids.get(other.substring(at, end)));
        at = end;
      }
      assertArrayEquals(
          expected.stream().mapToInt(i -> i).toArray(), tokenizer.encode(other), more + " tokens");
    }
  }
}
