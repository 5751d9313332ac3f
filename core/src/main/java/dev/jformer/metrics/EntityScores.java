package dev.jformer.metrics;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Precision, recall and F1 of named-entity recognition, accumulated over sentences: an entity is
 * right if its type, its first and its last word are (<a
 * href="https://arxiv.org/abs/cs/0306050">Introduction to the CoNLL-2003 Shared Task:
 * Language-Independent Named Entity Recognition</a>). They count all entities alike, whatever their
 * type.
 */
public final class EntityScores {
  /** The name of F1. */
  public static final String F1 = "f1";

  private final Map<String, Counts> types = new TreeMap<>();
  private final Counts all = new Counts();
  private long rightWords;
  private long words;

  private static final class Counts {
    private long right;
    private long predicted;
    private long gold;

    Score score() {
      double precision = predicted == 0 ? 0 : (double) right / predicted;
      double recall = gold == 0 ? 0 : (double) right / gold;
      double sum = precision + recall;
      return new Score(precision, recall, sum == 0 ? 0 : 2 * precision * recall / sum, gold);
    }
  }

  /**
   * Scores of one type, or of all.
   *
   * @param precision share of the predicted entities that are right; 0 if there are none
   * @param recall share of the true entities that were found; 0 if there are none
   * @param f1 the harmonic mean of both
   * @param entities number of true entities
   */
  public record Score(double precision, double recall, double f1, long entities) {}

  /**
   * Adds a sentence.
   *
   * @param gold the true tag of each word
   * @param predicted the predicted tag of each word
   */
  public void add(List<String> gold, List<String> predicted) {
    if (gold.size() != predicted.size()) {
      throw new IllegalArgumentException(
          "there are " + predicted.size() + " predicted tags: expected " + gold.size());
    }
    for (int i = 0; i < gold.size(); i++) {
      rightWords += gold.get(i).equals(predicted.get(i)) ? 1 : 0;
    }
    words += gold.size();
    Set<EntitySpan> truth = new HashSet<>(EntitySpan.of(gold));
    for (EntitySpan span : truth) {
      all.gold++;
      counts(span).gold++;
    }
    for (EntitySpan span : EntitySpan.of(predicted)) {
      all.predicted++;
      counts(span).predicted++;
      if (truth.contains(span)) {
        all.right++;
        counts(span).right++;
      }
    }
  }

  private Counts counts(EntitySpan span) {
    return types.computeIfAbsent(span.type(), type -> new Counts());
  }

  /** The scores of all entities. */
  public Score all() {
    return all.score();
  }

  /** The scores by type, in alphabetical order. */
  public Map<String, Score> byType() {
    Map<String, Score> scores = new TreeMap<>();
    types.forEach((type, counts) -> scores.put(type, counts.score()));
    return scores;
  }

  /** F1, precision, recall and the share of words with the right tag; F1 is the primary one. */
  public Metrics metrics() {
    Score score = all();
    return Metrics.of(
        Metric.higher(F1, score.f1(), ""),
        Metric.higher("precision", score.precision(), ""),
        Metric.higher("recall", score.recall(), ""),
        Metric.higher(Metric.ACCURACY, words == 0 ? 0 : (double) rightWords / words, ""));
  }
}
