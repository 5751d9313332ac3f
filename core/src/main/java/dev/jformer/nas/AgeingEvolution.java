package dev.jformer.nas;

import dev.jformer.config.Checks;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.IntConsumer;
import java.util.function.ToDoubleFunction;

/**
 * Ageing evolution (<a href="https://arxiv.org/abs/1802.01548">Regularized Evolution for Image
 * Classifier Architecture Search</a>): a population of random configurations; in each round the
 * best of a sample has a child with one field changed, and the oldest leaves.
 *
 * <p>It is the search of <a href="https://arxiv.org/abs/2303.15678">DisWOT: Student Architecture
 * Search for Distillation WithOut Training</a>.
 *
 * @param evaluations configurations to score, those of the first population included
 * @param population size of the population
 * @param sample configurations of which the best becomes the parent
 * @param seed of all draws
 */
public record AgeingEvolution(int evaluations, int population, int sample, long seed) {
  /** Checks the values. */
  public AgeingEvolution {
    Checks.atLeast("evaluations", evaluations, 1);
    Checks.atLeast("population", population, 2);
    Checks.between("sample", sample, 1, population);
  }

  /**
   * A scored configuration.
   *
   * @param chosen values by their fields
   * @param score the higher, the better; negative infinity if it cannot be built or is too large
   */
  public record Scored(Map<String, String> chosen, double score) {}

  /**
   * Searches a space. A configuration that comes again is not scored again, but counts.
   *
   * @param progress receives the number of evaluations so far
   * @return all configurations, the best first
   */
  public List<Scored> search(
      ConfigurationSpace space, ToDoubleFunction<Map<String, String>> score, IntConsumer progress) {
    SplittableRandom random = new SplittableRandom(seed);
    Map<Map<String, String>, Scored> known = new LinkedHashMap<>();
    Deque<Scored> alive = new ArrayDeque<>();
    for (int i = 0; i < evaluations; i++) {
      Map<String, String> chosen =
          alive.size() < population ? space.draw(random) : child(space, alive, random);
      Scored scored =
          known.computeIfAbsent(chosen, c -> new Scored(c, finite(score.applyAsDouble(c))));
      alive.addLast(scored);
      if (alive.size() > population) {
        alive.removeFirst();
      }
      progress.accept(i + 1);
    }
    return known.values().stream()
        .sorted(Comparator.comparingDouble((Scored s) -> s.score()).reversed())
        .toList();
  }

  private static double finite(double score) {
    return Double.isNaN(score) ? Double.NEGATIVE_INFINITY : score;
  }

  private Map<String, String> child(
      ConfigurationSpace space, Deque<Scored> alive, SplittableRandom random) {
    List<Scored> all = new ArrayList<>(alive);
    Scored best = null;
    for (int i = 0; i < sample; i++) {
      Scored drawn = all.get(random.nextInt(all.size()));
      best = best == null || drawn.score() > best.score() ? drawn : best;
    }
    return space.mutated(best.chosen(), random);
  }
}
