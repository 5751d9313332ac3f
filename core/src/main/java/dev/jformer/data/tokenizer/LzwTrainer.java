package dev.jformer.data.tokenizer;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Learns the dictionary of Lempel, Ziv and Welch: reading on, each longest known piece with the
 * byte after it becomes a token, until the vocabulary is full. Texts are encoded from left to right
 * by the longest token. <a href="https://arxiv.org/abs/2404.08335">Toward a Theory of Tokenization
 * in LLMs</a> shows that with such a dictionary even a model of independent tokens comes near the
 * entropy rate of a Markov source.
 *
 * <p>Settled here: a piece ends with its word, as all tokens do, and the reading begins anew with
 * each word.
 */
public final class LzwTrainer implements TokenizerTrainer {
  /** More tokens than any vocabulary has. */
  private static final int MOST = 1 << 18;

  private final List<String> tokens = WordCounts.base();
  private final PairTable longer = new PairTable(MOST); // of a token and a byte

  @Override
  public void piece(String text) {
    WordCounts.words(text, word -> read(WordCounts.spell(word)));
  }

  private void read(String word) {
    int token = -1;
    for (int at = 0; at < word.length(); at++) {
      char c = word.charAt(at);
      int next = token < 0 ? -1 : longer.get(token, c);
      if (token >= 0 && next < 0) {
        String piece = tokens.get(token) + c;
        if (tokens.size() < MOST && piece.length() <= WordCounts.LONGEST_TOKEN) {
          longer.put(token, c, tokens.size());
          tokens.add(piece);
        }
      }
      token = next >= 0 ? next : base(c);
    }
  }

  /** The token of a byte. */
  private int base(char c) {
    int from = 1;
    int to = 256;
    while (from < to) {
      int middle = (from + to) >>> 1;
      if (tokens.get(middle).charAt(0) < c) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return from;
  }

  @Override
  public Tokenizer train(int vocabulary, IntConsumer progress) throws IOException {
    WordCounts.check(vocabulary);
    List<String> first = new ArrayList<>(tokens.subList(0, Math.min(vocabulary, tokens.size())));
    progress.accept(first.size());
    return Tokenizers.parse(TokenizerJson.longestFirst(first, List.of(END_OF_TEXT)));
  }
}
