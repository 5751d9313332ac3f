package dev.jformer.words;

import dev.jformer.data.DataException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The words of a text that occur often enough, the most frequent first. */
public final class Vocabulary {
  private final List<String> words;
  private final Map<String, Integer> ids = new HashMap<>();
  private final long[] counts;

  private Vocabulary(List<String> words, long[] counts) {
    this.words = List.copyOf(words);
    this.counts = counts;
    words.forEach(word -> ids.put(word, ids.size()));
  }

  /**
   * Counts the words of a text.
   *
   * @param least words that occur less often are left out
   * @throws DataException if fewer than two words are left
   */
  public static Vocabulary of(Iterable<List<String>> sentences, int least) {
    Map<String, Long> found = new HashMap<>();
    for (List<String> sentence : sentences) {
      sentence.forEach(word -> found.merge(word, 1L, Long::sum));
    }
    List<Map.Entry<String, Long>> kept = new ArrayList<>(found.entrySet());
    kept.removeIf(entry -> entry.getValue() < least);
    kept.sort(
        Comparator.comparingLong((Map.Entry<String, Long> e) -> -e.getValue())
            .thenComparing(Map.Entry.comparingByKey()));
    if (kept.size() < 2) {
      throw new DataException(
          kept.size()
              + " of "
              + found.size()
              + " different words occur at least "
              + least
              + " times: expected two or more; give more text or a lower count");
    }
    return new Vocabulary(
        kept.stream().map(Map.Entry::getKey).toList(),
        kept.stream().mapToLong(Map.Entry::getValue).toArray());
  }

  /** The number of words. */
  public int size() {
    return words.size();
  }

  /** The words, the most frequent first. */
  public List<String> words() {
    return words;
  }

  /** How often a word occurs. */
  public long count(int word) {
    return counts[word];
  }

  /** The id of a word; -1 if it is not in the vocabulary. */
  public int id(String word) {
    return ids.getOrDefault(word, -1);
  }

  /**
   * The id of a word.
   *
   * @throws DataException if it is not in the vocabulary
   */
  public int known(String word) {
    int id = id(word);
    if (id < 0) {
      throw new DataException("'" + word + "' is none of the " + size() + " words of the text");
    }
    return id;
  }

  /** The ids of a sentence's words; words that are not in the vocabulary are left out. */
  public int[] ids(List<String> sentence) {
    return sentence.stream().mapToInt(this::id).filter(id -> id >= 0).toArray();
  }
}
