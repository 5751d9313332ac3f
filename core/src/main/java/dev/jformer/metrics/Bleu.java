package dev.jformer.metrics;

import dev.jformer.data.DataException;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * BLEU of a corpus with one reference for each text, as sacrebleu (<a
 * href="https://arxiv.org/abs/1804.08771">A Call for Clarity in Reporting BLEU Scores</a>) computes
 * it by default: words as in mteval-v13a, case kept, n-grams of up to four words, exponential
 * smoothing where no n-gram of some length matches, no effective order, and the brevity penalty of
 * the whole corpus.
 *
 * @param score from 0 to 100
 * @param precisions of n-grams of one to four words, in per cent, smoothed; 0 where there are none
 * @param brevityPenalty factor for being shorter than the references, at most 1
 * @param length number of words of the translations
 * @param referenceLength number of words of the references
 */
public record Bleu(
    double score,
    List<Double> precisions,
    double brevityPenalty,
    long length,
    long referenceLength) {
  /** The signature of the score in sacrebleu's notation. */
  public static final String SIGNATURE = "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp";

  private static final int ORDER = 4;

  /**
   * Computes the score of translations.
   *
   * @param references one for each translation
   * @throws DataException if their numbers differ, or there are none
   */
  public static Bleu of(List<String> translations, List<String> references) {
    if (translations.size() != references.size() || translations.isEmpty()) {
      throw new DataException(
          translations.size()
              + " translations and "
              + references.size()
              + " references: expected one reference for each translation, and at least one");
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
    // If not even a single word matches, longer n-grams do not either: the score is 0.
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

  /** The score, the precisions and the lengths, as sacrebleu prints them. */
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
