package dev.jformer.search;

import dev.jformer.config.Checks;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;

/**
 * The cross-entropy method (Rubinstein, 1999; for hyperparameters: <a
 * href="https://arxiv.org/abs/2410.18441">The Nature of Mathematical Modeling and Probabilistic
 * Optimization Engineering in Generative AI</a>): values are drawn from a normal distribution,
 * which is then moved to those of the best scores, its elite, again and again.
 *
 * <p>Settled here: the first round is drawn evenly, so that it is a random search; coordinates
 * beyond the bounds are moved to them; the spread never falls below a floor, so that late rounds
 * still try something.
 *
 * @param trials values that are tried in all
 * @param round values that are tried in a round, at least 2
 * @param elite share of a round that the distribution is moved to, above 0 and below 1
 * @param smoothing how far it is moved towards them, above 0, at most 1
 * @param floor the least standard deviation, as a share of the range
 */
@RecordBuilder
public record CrossEntropyMethod(
    int trials, int round, double elite, double smoothing, double floor)
    implements CrossEntropyMethodBuilder.With {
  /** Defaults: rounds of 10, of which the best three count. */
  public CrossEntropyMethod() {
    this(60, 10, 0.3, 0.8, 0.02);
  }

  /** Checks the values. */
  public CrossEntropyMethod {
    Checks.atLeast("trials", trials, 1);
    Checks.atLeast("round", round, 2);
    Checks.part("elite", elite);
    Checks.check(
        smoothing > 0 && smoothing <= 1, "smoothing", smoothing, "a number above 0, at most 1");
    Checks.part("floor", floor);
  }

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Scored(double[] point, double score) {}

  /**
   * Searches for the values of the highest score.
   *
   * @param seed of the values that are drawn
   * @param score of values by name; NaN is worse than all
   */
  public SearchResult search(
      SearchSpace space, long seed, ToDoubleFunction<Map<String, Double>> score) {
    SplittableRandom random = new SplittableRandom(seed);
    int dimensions = space.dimensions().size();
    double[] mean = null; // of the first round there is none: it is drawn evenly
    double[] spread = new double[dimensions];
    List<SearchResult.Trial> tried = new ArrayList<>();
    while (tried.size() < trials) {
      List<Scored> drawn = new ArrayList<>();
      for (int i = Math.min(round, trials - tried.size()); i > 0; i--) {
        double[] point = new double[dimensions];
        for (int d = 0; d < dimensions; d++) {
          double at =
              mean == null ? random.nextDouble() : mean[d] + spread[d] * random.nextGaussian();
          point[d] = Math.min(1, Math.max(0, at));
        }
        Map<String, Double> values = space.values(point);
        SearchResult.Trial trial = new SearchResult.Trial(values, score.applyAsDouble(values));
        tried.add(trial);
        if (!Double.isNaN(trial.score())) {
          drawn.add(new Scored(point, trial.score()));
        }
      }
      drawn.sort(Comparator.comparingDouble((Scored s) -> -s.score));
      List<Scored> best =
          drawn.subList(0, Math.min(drawn.size(), (int) Math.max(2, Math.round(elite * round))));
      if (best.size() > 1) {
        mean = moved(best, mean, spread);
      }
    }
    return new SearchResult(tried);
  }

  /** The new mean; the spread is changed. */
  private double[] moved(List<Scored> best, double[] mean, double[] spread) {
    double[] next = new double[spread.length];
    for (int d = 0; d < next.length; d++) {
      int at = d;
      double average = best.stream().mapToDouble(s -> s.point[at]).average().orElseThrow();
      double square =
          best.stream().mapToDouble(s -> Math.pow(s.point[at] - average, 2)).sum() / best.size();
      double part = mean == null ? 1 : smoothing;
      next[d] = part * average + (1 - part) * (mean == null ? 0 : mean[d]);
      spread[d] = Math.max(floor, part * Math.sqrt(square) + (1 - part) * spread[d]);
    }
    return next;
  }

  /**
   * The same number of trials drawn evenly, to compare with.
   *
   * @param seed of the values that are drawn
   */
  public SearchResult random(
      SearchSpace space, long seed, ToDoubleFunction<Map<String, Double>> score) {
    SplittableRandom random = new SplittableRandom(seed);
    List<SearchResult.Trial> tried = new ArrayList<>();
    for (int i = 0; i < trials; i++) {
      double[] point = new double[space.dimensions().size()];
      Arrays.setAll(point, d -> random.nextDouble());
      Map<String, Double> values = space.values(point);
      tried.add(new SearchResult.Trial(values, score.applyAsDouble(values)));
    }
    return new SearchResult(tried);
  }
}
