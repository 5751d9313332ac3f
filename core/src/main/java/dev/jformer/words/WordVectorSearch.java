package dev.jformer.words;

import dev.jformer.data.DataException;
import dev.jformer.search.CrossEntropyMethod;
import dev.jformer.search.SearchResult;
import dev.jformer.search.SearchSpace;
import dev.jformer.search.SearchSpace.Dimension;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;

/**
 * Searches for the hyperparameters of word2vec that recognize words best on held-out sentences, by
 * the cross-entropy method.
 *
 * @param vocabulary of both texts
 * @param training sentences to learn from, ids of words
 * @param heldOut sentences to be tried on
 */
public record WordVectorSearch(Vocabulary vocabulary, List<int[]> training, List<int[]> heldOut) {
  /** How far a word around another may be, whatever window is learned with. */
  public static final int WINDOW = 5;

  /** What is sought; the dimension and the epochs cost time and are given. */
  public static final SearchSpace SPACE =
      SearchSpace.of(new Dimension("learningRate", 0.005, 0.5, true, false))
          .with(new Dimension("window", 1, 12, false, true))
          .with(new Dimension("negatives", 1, 15, false, true))
          .with(new Dimension("subsampling", 1e-5, 1, true, false))
          .with(new Dimension("exponent", 0, 1.25, false, false));

  /** Checks that there is text to be tried on. */
  public WordVectorSearch {
    if (heldOut.stream().noneMatch(sentence -> sentence.length > 1)) {
      throw new DataException(
          "no held-out sentence has two known words: give more text, or lines of several words");
    }
  }

  /** The settings with values of {@link #SPACE}. */
  public static Word2Vec with(Word2Vec settings, Map<String, Double> values) {
    return settings
        .withLearningRate(values.get("learningRate"))
        .withWindow(values.get("window").intValue())
        .withNegatives(values.get("negatives").intValue())
        .withSubsampling(values.get("subsampling"))
        .withExponent(values.get("exponent"));
  }

  /** How well settings recognize words on held-out sentences. */
  public double score(Word2Vec settings, long seed) {
    return settings
        .train(vocabulary, training, seed, done -> {})
        .recognition(heldOut, WINDOW, seed);
  }

  /**
   * Searches.
   *
   * @param settings what stays as it is
   * @param progress called with the share that is done, 0 to 1
   */
  public SearchResult run(
      CrossEntropyMethod method, Word2Vec settings, long seed, DoubleConsumer progress) {
    return method.search(SPACE, seed, counted(method, settings, seed, progress)::score);
  }

  /** As {@link #run}, with values drawn evenly. */
  public SearchResult random(
      CrossEntropyMethod method, Word2Vec settings, long seed, DoubleConsumer progress) {
    return method.random(SPACE, seed, counted(method, settings, seed, progress)::score);
  }

  private interface Scoring {
    double score(Map<String, Double> values);
  }

  private Scoring counted(
      CrossEntropyMethod method, Word2Vec settings, long seed, DoubleConsumer progress) {
    int[] done = new int[1];
    return values -> {
      double score = score(with(settings, values), seed);
      progress.accept(++done[0] / (double) method.trials());
      return score;
    };
  }
}
