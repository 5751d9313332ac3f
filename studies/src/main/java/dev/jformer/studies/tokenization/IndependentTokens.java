package dev.jformer.studies.tokenization;

import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.TokenizerMethod;
import dev.jformer.data.tokenizer.TokenizerTrainer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;

/**
 * How well a model of independent tokens does on held-out text.
 *
 * @param tokens size of the dictionary, without tokens that no text of the kind has
 * @param bits that a symbol needs
 * @param trainingBits the same on the text that tokens and shares were learned from
 * @param symbols that a token stands for, on average
 * @param seconds that learning the tokens took
 */
record IndependentTokens(
    int tokens, double bits, double trainingBits, double symbols, double seconds) {
  /** The tokens that every vocabulary has: bytes and the end of a text. */
  static final int BASE = 257;

  /** Learns a tokenizer of a few tokens beside {@link #BASE}. */
  static Tokenizer learn(TokenizerMethod method, List<String> text, int more) {
    TokenizerTrainer trainer = method.trainer();
    text.forEach(trainer::piece);
    try {
      return trainer.train(BASE + more, count -> {});
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Learns tokens and their shares from a text.
   *
   * @param method null for single symbols
   * @param alphabet number of different symbols
   * @param tokens size of the dictionary, symbols included
   */
  static IndependentTokens measure(
      TokenizerMethod method, int alphabet, int tokens, List<String> text, List<String> heldOut) {
    long start = System.nanoTime();
    Tokenizer tokenizer = learn(method, text, tokens - alphabet);
    double seconds = (System.nanoTime() - start) / 1e9;
    double[] counts = new double[tokenizer.vocabularySize()];
    double total = 0;
    for (String piece : text) {
      for (int id : tokenizer.encode(piece)) {
        counts[id]++;
        total++;
      }
    }
    double symbols = 0;
    double count = 0;
    for (String piece : heldOut) {
      count += tokenizer.encode(piece).length;
      symbols += piece.length();
    }
    return new IndependentTokens(
        tokenizer.vocabularySize() - BASE + alphabet,
        bits(tokenizer, heldOut, counts, total),
        bits(tokenizer, text, counts, total),
        symbols / count,
        seconds);
  }

  /** A token that was never seen counts as half a one. */
  private static double bits(
      Tokenizer tokenizer, List<String> text, double[] counts, double total) {
    double bits = 0;
    double symbols = 0;
    for (String piece : text) {
      for (int id : tokenizer.encode(piece)) {
        bits -= Math.log(Math.max(0.5, counts[id]) / total) / Math.log(2);
      }
      symbols += piece.length();
    }
    return bits / symbols;
  }
}
