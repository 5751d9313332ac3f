package dev.jformer.data.tokenizer;

import dev.jformer.data.DataException;
import dev.jformer.data.text.Corpus;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.function.IntConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Learns a byte-level byte-pair encoding (<a href="https://arxiv.org/abs/1508.07909">Neural Machine
 * Translation of Rare Words with Subword Units</a>, in GPT-2's form): text is split into words, a
 * word is a sequence of bytes, and the most frequent pair of neighbouring tokens becomes a new
 * token until the vocabulary is full. Of equally frequent pairs the one with the smaller ids comes
 * first, so that the outcome depends only on the text; Hugging Face's trainer has the same rule.
 * Pairs that would make a token of more than {@value #LONGEST_TOKEN} bytes stay apart (Hugging
 * Face's {@code max_token_length}): long runs of one character would otherwise become tokens that
 * double in length with each merge.
 */
public final class BpeTrainer implements Corpus.Reader {
  /** The token that separates documents. */
  public static final String END_OF_TEXT = "<|endoftext|>";

  /** The most bytes that a learned token stands for. */
  public static final int LONGEST_TOKEN = 256;

  private static final int BASE = 257;
  private static final Pattern WORD =
      Pattern.compile(
          "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
          Pattern.UNICODE_CHARACTER_CLASS);

  private final Map<String, Integer> counts = new HashMap<>();

  @Override
  public void piece(String text) {
    Matcher words = WORD.matcher(text);
    while (words.find()) {
      counts.merge(words.group(), 1, Integer::sum);
    }
  }

  /**
   * Trains a tokenizer on the text received so far.
   *
   * @param vocabulary number of tokens wanted; there are fewer if no more pairs occur twice in the
   *     text
   * @param progress called with the number of tokens so far
   * @throws DataException if {@code vocabulary} is below 257, the number of bytes plus the end of a
   *     text
   */
  public Tokenizer train(int vocabulary, IntConsumer progress) throws IOException {
    if (vocabulary < BASE) {
      throw new DataException(
          "a vocabulary of "
              + vocabulary
              + " is too small: the 256 bytes and "
              + END_OF_TEXT
              + " need "
              + BASE);
    }
    return Tokenizers.parse(new Learning(counts).run(vocabulary, progress));
  }

  /**
   * One run of the algorithm: words as sequences of ids, and the words that each pair occurs in.
   */
  private static final class Learning {
    private final List<String> tokens = new ArrayList<>();
    private final List<String> merges = new ArrayList<>();
    private final List<int[]> words = new ArrayList<>();
    private final List<Integer> frequencies = new ArrayList<>();
    private final Map<Long, Long> pairCounts = new HashMap<>();
    private final Map<Long, Set<Integer>> places = new HashMap<>();
    private final PriorityQueue<Candidate> queue = new PriorityQueue<>();

    private record Candidate(long pair, long count) implements Comparable<Candidate> {
      @Override
      public int compareTo(Candidate other) {
        return count != other.count
            ? Long.compare(other.count, count)
            : Long.compare(pair, other.pair);
      }
    }

    Learning(Map<String, Integer> counts) {
      tokens.add(END_OF_TEXT);
      Integer[] bytes = new Integer[256];
      Arrays.setAll(bytes, b -> b);
      Arrays.sort(
          bytes, (a, b) -> Character.compare(ByteAlphabet.character(a), ByteAlphabet.character(b)));
      int[] idOfByte = new int[256];
      for (int b : bytes) {
        idOfByte[b] = tokens.size();
        tokens.add(String.valueOf(ByteAlphabet.character(b)));
      }
      counts.entrySet().stream()
          .sorted(Map.Entry.comparingByKey())
          .forEach(
              entry -> {
                byte[] utf8 = entry.getKey().getBytes(StandardCharsets.UTF_8);
                int[] word = new int[utf8.length];
                for (int i = 0; i < word.length; i++) {
                  word[i] = idOfByte[utf8[i] & 0xFF];
                }
                words.add(word);
                frequencies.add(entry.getValue());
              });
      for (int w = 0; w < words.size(); w++) {
        int[] word = words.get(w);
        for (int i = 0; i + 1 < word.length; i++) {
          change(word[i], word[i + 1], frequencies.get(w), w);
        }
      }
      pairCounts.forEach((pair, count) -> queue.add(new Candidate(pair, count)));
    }

    byte[] run(int vocabulary, IntConsumer progress) {
      Set<String> known = new HashSet<>(tokens);
      while (tokens.size() < vocabulary && !queue.isEmpty()) {
        Candidate best = queue.poll();
        long count = pairCounts.getOrDefault(best.pair, 0L);
        if (count < 2) {
          continue;
        }
        if (count != best.count) {
          queue.add(new Candidate(best.pair, count)); // its count fell since it was queued
          continue;
        }
        int left = (int) (best.pair >>> 32);
        int right = (int) best.pair;
        String joined = tokens.get(left) + tokens.get(right);
        merges.add(tokens.get(left) + " " + tokens.get(right));
        int id = tokens.size();
        if (known.add(joined)) {
          tokens.add(joined);
        } else {
          id = tokens.indexOf(joined); // another pair spelled the same token before
        }
        merge(best.pair, left, right, id);
        progress.accept(tokens.size());
      }
      Map<String, Integer> ids = new LinkedHashMap<>();
      tokens.forEach(token -> ids.put(token, ids.size()));
      return TokenizerJson.write(ids, merges, List.of(END_OF_TEXT));
    }

    private void merge(long pair, int left, int right, int id) {
      Set<Long> grown = new HashSet<>();
      for (int w : places.remove(pair)) {
        int[] word = words.get(w);
        int frequency = frequencies.get(w);
        int[] merged = new int[word.length];
        int length = 0;
        for (int i = 0; i < word.length; i++) {
          if (i + 1 < word.length && word[i] == left && word[i + 1] == right) {
            merged[length++] = id;
            i++;
          } else {
            merged[length++] = word[i];
          }
        }
        if (length == word.length) {
          continue; // the pair was in this word, and another merge has broken it up
        }
        for (int i = 0; i + 1 < word.length; i++) {
          change(word[i], word[i + 1], -frequency, -1);
        }
        merged = Arrays.copyOf(merged, length);
        words.set(w, merged);
        for (int i = 0; i + 1 < length; i++) {
          change(merged[i], merged[i + 1], frequency, w);
          boolean isNew = merged[i] == id || merged[i + 1] == id;
          if (isNew && !tooLong(merged[i], merged[i + 1])) {
            grown.add(key(merged[i], merged[i + 1]));
          }
        }
      }
      pairCounts.remove(pair);
      for (long changed : grown) {
        queue.add(new Candidate(changed, pairCounts.get(changed)));
      }
    }

    private void change(int left, int right, int by, int word) {
      if (tooLong(left, right)) {
        return;
      }
      long pair = key(left, right);
      pairCounts.merge(pair, (long) by, Long::sum);
      if (word >= 0) {
        places.computeIfAbsent(pair, p -> new HashSet<>()).add(word);
      }
    }

    /** In the tokens' alphabet a byte is a character. */
    private boolean tooLong(int left, int right) {
      return tokens.get(left).length() + tokens.get(right).length() > LONGEST_TOKEN;
    }

    private static long key(int left, int right) {
      return ((long) left << 32) | right;
    }
  }
}
