package dev.jformer.metrics;

import dev.jformer.data.DataException;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * BLEU of a corpus with one reference for each text, as sacrebleu (arXiv 1804.08771) computes it by
 * default: words of mteval-v13a, case kept, up to four words in a row, exponential smoothing where
 * none of some length match, no effective order, and the brevity penalty of the whole corpus.
 *
 * @param score from 0 to 100
 * @param precisions of one to four words in a row, in per cent, smoothed; 0 where there are none
 * @param brevityPenalty factor for being shorter than the references, at most 1
 * @param length words of the translations
 * @param referenceLength words of the references
 */
public record Bleu(
    double score,
    List<Double> precisions,
    double brevityPenalty,
    long length,
    long referenceLength) {
  /** How it was computed, in sacrebleu's words. */
  public static final String SIGNATURE = "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp";

  private static final int ORDER = 4;

  /**
   * The score of translations.
   *
   * @param references one for each
   * @throws DataException if they are not equally many, or none
   */
  public static Bleu of(List<String> translations, List<String> references) {
    if (translations.size() != references.size() || translations.isEmpty()) {
      throw new DataException(
          translations.size()
              + " translations and "
              + references.size()
              + " references: expected as many of the one as of the other, at least one");
    }
    long[] matches = new long[ORDER];
    long[] totals = new long[ORDER];
    long length = 0;
    long referenceLength = 0;
    for (int i = 0; i < translations.size(); i++) {
      List<String> words = Words13a.of(translations.get(i));
      List<String> reference = Words13a.of(references.get(i));
      length += words.size();
      referenceLength += reference.size();
      for (int n = 1; n <= ORDER; n++) {
        Map<List<String>, Integer> known = counts(reference, n);
        for (Map.Entry<List<String>, Integer> entry : counts(words, n).entrySet()) {
          matches[n - 1] += Math.min(entry.getValue(), known.getOrDefault(entry.getKey(), 0));
        }
        totals[n - 1] += Math.max(0, words.size() - n + 1);
      }
    }
    return of(matches, totals, length, referenceLength);
  }

  private static Map<List<String>, Integer> counts(List<String> words, int n) {
    Map<List<String>, Integer> counts = new HashMap<>();
    for (int i = 0; i + n <= words.size(); i++) {
      counts.merge(words.subList(i, i + n), 1, Integer::sum);
    }
    return counts;
  }

  private static Bleu of(long[] matches, long[] totals, long length, long referenceLength) {
    double penalty =
        length >= referenceLength
            ? 1
            : length == 0 ? 0 : Math.exp(1 - (double) referenceLength / length);
    Double[] precisions = {0.0, 0.0, 0.0, 0.0};
    // Of the n-grams the single words match most often: if none does, no smoothing makes a score.
    if (matches[0] == 0) {
      return new Bleu(0, List.of(precisions), penalty, length, referenceLength);
    }
    double smoothing = 1;
    double logs = 0;
    for (int n = 0; n < ORDER && totals[n] > 0; n++) {
      if (matches[n] == 0) {
        smoothing *= 2;
        precisions[n] = 100 / (smoothing * totals[n]);
      } else {
        precisions[n] = 100.0 * matches[n] / totals[n];
      }
    }
    for (double precision : precisions) {
      logs += Math.log(precision);
    }
    double score = penalty * Math.exp(logs / ORDER);
    return new Bleu(score, List.of(precisions), penalty, length, referenceLength);
  }

  /** The score as a metric named {@code bleu}. */
  public Metric metric() {
    return Metric.higher("bleu", score, "of 100");
  }

  /** As sacrebleu prints it: the score, the precisions and the lengths. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%.2f %.1f/%.1f/%.1f/%.1f (BP = %.3f ratio = %.3f hyp_len = %d ref_len = %d)",
        score,
        precisions.get(0),
        precisions.get(1),
        precisions.get(2),
        precisions.get(3),
        brevityPenalty,
        referenceLength == 0 ? 0 : (double) length / referenceLength,
        length,
        referenceLength);
  }
}
