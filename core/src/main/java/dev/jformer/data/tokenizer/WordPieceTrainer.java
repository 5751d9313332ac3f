package dev.jformer.data.tokenizer;

import java.io.IOException;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Learns word pieces: the pair of neighbouring tokens that raises the likelihood of the text most
 * when it becomes a token is merged, until the vocabulary is full (Schuster and Nakajima, Japanese
 * and Korean Voice Search, 2012). The likelihood is that of independent tokens with the shares that
 * they have in the text. Texts are encoded from left to right by the longest piece (<a
 * href="https://arxiv.org/abs/2012.15524">Fast WordPiece Tokenization</a>).
 *
 * <p>Settled here: the gain is exact, where much code takes the count of a pair over the product of
 * its parts' counts, which prefers the rarest pairs; pieces within a word have no {@code ##}, since
 * a word keeps the space before it; of equal gains the pair with the smaller ids comes first.
 */
public final class WordPieceTrainer implements TokenizerTrainer {
  private final WordCounts words = new WordCounts();

  @Override
  public void piece(String text) {
    words.add(text);
  }

  @Override
  public Tokenizer train(int vocabulary, IntConsumer progress) throws IOException {
    WordCounts.check(vocabulary);
    List<String> tokens = WordCounts.base();
    merge(tokens, words.words(), vocabulary, progress);
    return Tokenizers.parse(TokenizerJson.longestFirst(tokens, List.of(END_OF_TEXT)));
  }

  /**
   * Merges the pairs that raise the likelihood most, until there are so many tokens or none raises
   * it; appends to the tokens.
   */
  static void merge(
      List<String> tokens, WordCounts.Words words, int vocabulary, IntConsumer progress) {
    PairCounts pairs = new PairCounts(tokens, words);
    while (tokens.size() < vocabulary) {
      Best best = new Best(pairs);
      pairs.forEach(best::offer);
      if (best.gain <= 0) {
        return;
      }
      pairs.merge(best.pair);
      progress.accept(tokens.size());
    }
  }

  /** The pair of highest gain. */
  private static final class Best {
    private final PairCounts pairs;
    private double gain;
    private long least = 2; // pairs that occur less often cannot raise it more
    private long pair;

    Best(PairCounts pairs) {
      this.pairs = pairs;
    }

    void offer(long candidate, long count) {
      if (count < least) {
        return;
      }
      double found = gain(candidate, count);
      if (found > gain || (found == gain && found > 0 && candidate < pair)) {
        gain = found;
        pair = candidate;
        while (bound(2.0 * least, (double) pairs.total()) < gain) {
          least *= 2;
        }
      }
    }

    /** A pair that occurs j times of n tokens raises the likelihood by j (log(n/j) + 1) at most. */
    private static double bound(double j, double n) {
      return j >= n ? Double.POSITIVE_INFINITY : j * (Math.log(n / j) + 1);
    }

    /** By how much the logarithm of the likelihood rises; a pair of equals may overlap itself. */
    private double gain(long candidate, long count) {
      int left = PairCounts.left(candidate);
      int right = PairCounts.right(candidate);
      double a = pairs.count(left);
      double n = pairs.total();
      double parts;
      double joined = count;
      if (left == right) {
        joined = Math.min(joined, Math.floor(a / 2));
        parts = entropy(a - 2 * joined) - entropy(a);
      } else {
        double b = pairs.count(right);
        parts = entropy(a - joined) - entropy(a) + entropy(b - joined) - entropy(b);
      }
      return entropy(joined) + parts - entropy(n - joined) + entropy(n);
    }
  }

  /** x log x. */
  static double entropy(double x) {
    return x <= 0 ? 0 : x * Math.log(x);
  }
}
