package dev.jformer.data.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class LikelihoodSearchTest {
  /** Random words over a small alphabet, with counts. */
  private static WordCounts.Words words(Random random, int symbols, int count, int longest) {
    Map<String, Integer> words = new TreeMap<>();
    while (words.size() < count) {
      StringBuilder word = new StringBuilder();
      for (int i = 2 + random.nextInt(longest - 1); i > 0; i--) {
        word.append((char) ('a' + random.nextInt(symbols)));
      }
      words.put(word.toString(), 1 + random.nextInt(20));
    }
    return new WordCounts.Words(
        List.copyOf(words.keySet()), words.values().stream().mapToInt(i -> i).toArray());
  }

  private static double likelihood(Map<String, Integer> counts) {
    double total = counts.values().stream().mapToInt(i -> i).sum();
    return counts.values().stream().mapToDouble(c -> c * Math.log(c / total)).sum();
  }

  /** The best of all vocabularies with so many pieces of two symbols or more, and of all cuts. */
  private static double exhaustive(WordCounts.Words words, int more) {
    TreeSet<String> candidates = new TreeSet<>();
    for (String word : words.spelled()) {
      for (int from = 0; from < word.length(); from++) {
        for (int to = from + 2; to <= word.length(); to++) {
          candidates.add(word.substring(from, to));
        }
      }
    }
    return vocabularies(words, List.copyOf(candidates), 0, new ArrayList<>(), more);
  }

  private static double vocabularies(
      WordCounts.Words words, List<String> candidates, int from, List<String> chosen, int more) {
    double best = cuts(words, chosen, 0, new HashMap<>());
    for (int i = from; more > 0 && i < candidates.size(); i++) {
      chosen.add(candidates.get(i));
      best = Math.max(best, vocabularies(words, candidates, i + 1, chosen, more - 1));
      chosen.remove(chosen.size() - 1);
    }
    return best;
  }

  private static double cuts(
      WordCounts.Words words, List<String> pieces, int word, Map<String, Integer> counts) {
    return word == words.spelled().size()
        ? likelihood(counts)
        : cut(words, pieces, word, 0, counts);
  }

  private static double cut(
      WordCounts.Words words, List<String> pieces, int word, int at, Map<String, Integer> counts) {
    String text = words.spelled().get(word);
    if (at == text.length()) {
      return cuts(words, pieces, word + 1, counts);
    }
    double best = Double.NEGATIVE_INFINITY;
    for (int end = at + 1; end <= text.length(); end++) {
      String piece = text.substring(at, end);
      if (piece.length() > 1 && !pieces.contains(piece)) {
        continue;
      }
      counts.merge(piece, words.frequencies()[word], Integer::sum);
      best = Math.max(best, cut(words, pieces, word, end, counts));
      counts.merge(
          piece, -words.frequencies()[word], (a, b) -> a + b == 0 ? null : Integer.valueOf(a + b));
    }
    return best;
  }

  @Test
  void findsWhatTryingAllFindsOnSmallAlphabets() {
    Random random = new Random(20261129);
    int found = 0;
    int trials = 60;
    for (int trial = 0; trial < trials; trial++) {
      int symbols = 2 + random.nextInt(2);
      WordCounts.Words words = words(random, symbols, 3 + random.nextInt(3), 5);
      int more = 1 + random.nextInt(3);
      List<String> base = List.of("a", "b", "c").subList(0, symbols);
      double best = exhaustive(words, more);
      LikelihoodSearch.Encoding search =
          new LikelihoodSearch(base, words).run(symbols + more, c -> {});
      assertTrue(search.pieces().size() <= symbols + more);
      assertTrue(search.likelihood() <= best + 1e-9, "above the optimum");
      found += search.likelihood() > best - 1e-9 ? 1 : 0;
    }
    assertTrue(found >= 54, found + " of " + trials);
  }

  /** The likelihood is that of the cuts. */
  @Test
  void countsWhatItCuts() {
    WordCounts.Words words = words(new Random(5), 4, 300, 9);
    List<String> base = List.of("a", "b", "c", "d");
    LikelihoodSearch.Encoding found = new LikelihoodSearch(base, words).run(40, c -> {});
    Map<String, Integer> counts = new HashMap<>();
    for (int w = 0; w < found.cuts().length; w++) {
      StringBuilder word = new StringBuilder();
      for (int piece : found.cuts()[w]) {
        counts.merge(found.pieces().get(piece), words.frequencies()[w], Integer::sum);
        word.append(found.pieces().get(piece));
      }
      assertEquals(words.spelled().get(w), word.toString());
    }
    assertEquals(likelihood(counts), found.likelihood(), 1e-9 * -found.likelihood());
    assertEquals(40, found.pieces().size());
  }
}
