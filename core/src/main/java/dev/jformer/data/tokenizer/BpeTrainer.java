package dev.jformer.data.tokenizer;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.function.IntConsumer;

/**
 * Learns a byte-level byte-pair encoding (<a href="https://arxiv.org/abs/1508.07909">Neural Machine
 * Translation of Rare Words with Subword Units</a>, in GPT-2's form): text is split into words, a
 * word is a sequence of bytes, and the most frequent pair of neighbouring tokens becomes a new
 * token until the vocabulary is full. Of equally frequent pairs the one with the smaller ids comes
 * first, so that the outcome depends only on the text; Hugging Face's trainer has the same rule.
 * Pairs that would make a token of more than {@value #LONGEST_TOKEN} bytes stay apart (Hugging
 * Face's {@code max_token_length}): long runs of one character would otherwise become tokens that
 * double in length with each merge. A pair that occurs once is never merged.
 */
public final class BpeTrainer implements TokenizerTrainer {
  /** The most bytes that a learned token stands for. */
  public static final int LONGEST_TOKEN = WordCounts.LONGEST_TOKEN;

  private final WordCounts words = new WordCounts();

  private record Candidate(long pair, long count) implements Comparable<Candidate> {
    @Override
    public int compareTo(Candidate other) {
      return count != other.count
          ? Long.compare(other.count, count)
          : Long.compare(pair, other.pair);
    }
  }

  @Override
  public void piece(String text) {
    words.add(text);
  }

  @Override
  public Tokenizer train(int vocabulary, IntConsumer progress) throws IOException {
    WordCounts.check(vocabulary);
    List<String> tokens = WordCounts.base();
    List<String> merges = new ArrayList<>();
    PairCounts pairs = new PairCounts(tokens, words.words());
    PriorityQueue<Candidate> queue = new PriorityQueue<>();
    pairs.forEach((pair, count) -> queue.add(new Candidate(pair, count)));
    while (tokens.size() < vocabulary && !queue.isEmpty()) {
      Candidate best = queue.poll();
      long count = pairs.count(best.pair);
      if (count < 2) {
        continue;
      }
      if (count != best.count) {
        queue.add(new Candidate(best.pair, count)); // its count fell since it was queued
        continue;
      }
      String left = tokens.get(PairCounts.left(best.pair));
      merges.add(left + " " + tokens.get(PairCounts.right(best.pair)));
      for (long grown : pairs.merge(best.pair)) {
        queue.add(new Candidate(grown, pairs.count(grown)));
      }
      progress.accept(tokens.size());
    }
    Map<String, Integer> ids = new LinkedHashMap<>();
    tokens.forEach(token -> ids.put(token, ids.size()));
    return Tokenizers.parse(TokenizerJson.write(ids, merges, List.of(END_OF_TEXT)));
  }
}
