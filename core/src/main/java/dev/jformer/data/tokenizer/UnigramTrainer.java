package dev.jformer.data.tokenizer;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/**
 * Learns SentencePiece's unigram model (<a href="https://arxiv.org/abs/1804.10959">Subword
 * Regularization</a>): of many pieces that occur often, those are dropped, a quarter at a time,
 * whose loss lowers the likelihood of the text least; between, the pieces' probabilities are
 * learned by expectation and maximization over all ways to cut the words. Texts are encoded by the
 * most probable pieces.
 *
 * <p>As in SentencePiece's code, the probabilities are those of a Dirichlet process, exp(ψ(count)),
 * and pieces expected less than half a time are dropped.
 */
public final class UnigramTrainer implements TokenizerTrainer {
  private static final int LONGEST_PIECE = 16;
  private static final int SEEDS_PER_TOKEN = 10;
  private static final int ROUNDS = 2;
  private static final double KEPT = 0.75;
  private static final double LEAST = 0.5;

  private final WordCounts counts = new WordCounts();

  @Override
  public void piece(String text) {
    counts.add(text);
  }

  @Override
  public Tokenizer train(int vocabulary, IntConsumer progress) throws IOException {
    WordCounts.check(vocabulary);
    WordCounts.Words words = counts.words();
    List<String> base = WordCounts.base().subList(1, 257);
    int wanted = vocabulary - 1; // one is the end of a text
    Pieces pieces = seeds(base, words, SEEDS_PER_TOKEN * wanted);
    while (true) {
      for (int round = 0; round < ROUNDS; round++) {
        pieces = pieces.learn(words, base.size());
      }
      progress.accept(Math.max(0, vocabulary - (pieces.tokens.size() - wanted)));
      if (pieces.tokens.size() <= wanted) {
        break;
      }
      int kept = Math.max(wanted, (int) (KEPT * pieces.tokens.size()));
      pieces = pieces.prune(words, base.size(), kept);
    }
    List<String> tokens = new ArrayList<>(List.of(END_OF_TEXT));
    tokens.addAll(pieces.tokens);
    double[] scores = new double[tokens.size()];
    System.arraycopy(pieces.scores, 0, scores, 1, scores.length - 1);
    return Tokenizers.parse(TokenizerJson.mostProbable(tokens, scores, List.of(END_OF_TEXT)));
  }

  /** All bytes, and the parts of words that occur twice and cover the most bytes. */
  private static Pieces seeds(List<String> base, WordCounts.Words words, int most) {
    Map<String, Long> found = new HashMap<>();
    long bytes = 0;
    double[] single = new double[base.size()];
    Map<String, Integer> ids = new HashMap<>();
    base.forEach(token -> ids.put(token, ids.size()));
    for (int w = 0; w < words.frequencies().length; w++) {
      String word = words.spelled().get(w);
      long count = words.frequencies()[w];
      for (int from = 0; from < word.length(); from++) {
        single[ids.get(word.substring(from, from + 1))] += count;
        int last = Math.min(word.length(), from + LONGEST_PIECE);
        for (int to = from + 2; to <= last; to++) {
          found.merge(word.substring(from, to), count, Long::sum);
        }
      }
      bytes += count * word.length();
    }
    List<Map.Entry<String, Long>> best =
        found.entrySet().stream()
            .filter(entry -> entry.getValue() > 1)
            .sorted(
                Comparator.comparingLong(
                        (Map.Entry<String, Long> e) -> -e.getValue() * e.getKey().length())
                    .thenComparing(Map.Entry.comparingByKey()))
            .limit(most)
            .toList();
    List<String> tokens = new ArrayList<>(base);
    best.forEach(entry -> tokens.add(entry.getKey()));
    double[] counts = new double[tokens.size()];
    for (int i = 0; i < counts.length; i++) {
      counts[i] = i < single.length ? Math.max(LEAST, single[i]) : best.get(i - 256).getValue();
    }
    return new Pieces(tokens, shares(counts));
  }

  /** Logarithms of shares. */
  private static double[] shares(double[] counts) {
    double[] scores = counts.clone();
    double sum = 0;
    for (double count : counts) {
      sum += count;
    }
    for (int i = 0; i < scores.length; i++) {
      scores[i] = Math.log(counts[i] / sum);
    }
    return scores;
  }

  /** Pieces and the logarithms of their probabilities; those of all bytes come first. */
  private static final class Pieces {
    private final List<String> tokens;
    private final double[] scores;

    Pieces(List<String> tokens, double[] scores) {
      this.tokens = tokens;
      this.scores = scores;
    }

    /** One round of expectation and maximization; rare pieces are dropped, but no bytes. */
    Pieces learn(WordCounts.Words words, int base) {
      PieceLattice lattice = new PieceLattice(tokens, scores);
      double[] expected = new double[scores.length];
      for (int w = 0; w < words.frequencies().length; w++) {
        lattice.expect(words.spelled().get(w), words.frequencies()[w], expected);
      }
      int[] kept =
          IntStream.range(0, expected.length)
              .filter(i -> i < base || expected[i] >= LEAST)
              .toArray();
      List<String> left = IntStream.of(kept).mapToObj(tokens::get).toList();
      double[] learned = new double[kept.length];
      double sum = 0;
      for (int i = 0; i < kept.length; i++) {
        learned[i] = Math.max(LEAST, expected[kept[i]]);
        sum += learned[i];
      }
      for (int i = 0; i < kept.length; i++) {
        learned[i] = digamma(learned[i]) - digamma(sum);
      }
      return new Pieces(left, learned);
    }

    /** Keeps so many: all bytes, and those whose loss would cost most. */
    Pieces prune(WordCounts.Words words, int base, int kept) {
      PieceLattice lattice = new PieceLattice(tokens, scores);
      double[] counts = new double[scores.length];
      double total = 0;
      for (int w = 0; w < words.frequencies().length; w++) {
        for (int piece : lattice.best(words.spelled().get(w), -1)) {
          counts[piece] += words.frequencies()[w];
          total += words.frequencies()[w];
        }
      }
      double[] losses = new double[scores.length];
      for (int piece = base; piece < losses.length; piece++) {
        losses[piece] = loss(piece, lattice, counts, total);
      }
      int[] order =
          IntStream.range(base, losses.length)
              .boxed()
              .sorted(Comparator.comparingDouble((Integer i) -> -losses[i]))
              .mapToInt(Integer::intValue)
              .limit(Math.max(0, kept - base))
              .sorted()
              .toArray();
      int[] all = IntStream.concat(IntStream.range(0, base), IntStream.of(order)).toArray();
      List<String> left = IntStream.of(all).mapToObj(tokens::get).toList();
      return new Pieces(left, IntStream.of(all).mapToDouble(i -> scores[i]).toArray());
    }

    /** What the text's likelihood loses if other pieces take the place of one. */
    private double loss(int piece, PieceLattice lattice, double[] counts, double total) {
      double count = counts[piece];
      int[] others = lattice.best(tokens.get(piece), piece);
      if (count == 0) {
        return Double.NEGATIVE_INFINITY;
      }
      double after = total + count * (others.length - 1);
      double loss = Math.log(count / total);
      for (int other : others) {
        loss -= Math.log((counts[other] + count) / after);
      }
      return count * loss;
    }
  }

  /** ψ(x), the derivative of log Γ(x), for x > 0. */
  static double digamma(double x) {
    double low = 0;
    double at = x;
    for (; at < 7; at++) {
      low -= 1 / at;
    }
    double h = at - 0.5;
    double s = 1 / (h * h);
    return low
        + Math.log(h)
        + s * (1 / 24.0 - s * (7 / 960.0 - s * (31 / 8064.0 - s * 127 / 30720.0)));
  }
}
