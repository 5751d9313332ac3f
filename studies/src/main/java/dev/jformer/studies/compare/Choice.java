package dev.jformer.studies.compare;

import dev.jformer.metrics.Metric;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.evidence.ParetoFront;
import dev.jformer.studies.evidence.Verdict;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The variant that a comparison recommends, with the reason.
 *
 * @param result of the chosen variant
 * @param reason in one or two sentences
 */
public record Choice(Result result, String reason) {
  /** The property that the choice optimizes. */
  public enum Priority {
    /** The best primary metric. */
    QUALITY("quality", Result::cost),
    /** The fastest training. */
    TRAINING("training speed", r -> slowness(r.speed())),
    /** The fastest forward pass. */
    READING("reading speed", r -> slowness(r.inference().reading())),
    /** The fastest generation of text. */
    WRITING("writing speed", r -> slowness(r.inference().writing())),
    /** The least memory in training. */
    MEMORY("peak memory", r -> Estimate.exactly(r.peakBytes())),
    /** The fewest bytes on disk. */
    SIZE("size on disk", r -> Estimate.exactly((double) r.bytes()));

    private final String words;
    private final Function<Result, Estimate> cost;

    Priority(String words, Function<Result, Estimate> cost) {
      this.words = words;
      this.cost = cost;
    }

    /** A cost that is the lower the higher the speed is; 0 if the speed is unknown. */
    private static Estimate slowness(Estimate speed) {
      return Double.isNaN(speed.value()) ? Estimate.exactly(0) : speed.times(-1);
    }

    private double costOf(Result result) {
      return cost.apply(result).value();
    }

    /** Whether a result is better than another by more than the measurements vary. */
    private boolean tellsApart(Result better, Result other) {
      Estimate low = cost.apply(better);
      Estimate high = cost.apply(other);
      return high.value() - low.value() > high.noise(low);
    }
  }

  /**
   * Chooses a variant. For {@link Priority#QUALITY} it is the variant with the best primary metric,
   * or the fastest to train of those that are not told apart from it by the spread over seeds (see
   * {@link Check}). For other priorities it is the best of those whose quality is within {@code
   * tolerance} of the base's. A speed counts as higher only if it is so by more than its rounds
   * vary.
   *
   * @param results the base first
   * @param tolerance share of the base's primary metric
   */
  public static Choice of(List<Result> results, Priority priority, double tolerance) {
    if (priority == Priority.QUALITY) {
      return best(results);
    }
    Result base = results.get(0);
    Estimate bar = bar(base, tolerance);
    Result chosen =
        results.stream()
            .filter(r -> r.cost().value() <= bar.value())
            .min(Comparator.comparingDouble(priority::costOf))
            .filter(best -> priority.tellsApart(best, base))
            .orElse(base);
    String reason =
        chosen.equals(base)
            ? String.format(
                Locale.ROOT,
                "no technique improves the %s, by more than measurements vary, at a %s within %s of"
                    + " the base's",
                priority.words,
                metric(base),
                percent(tolerance))
            : String.format(
                Locale.ROOT,
                "best %s of those within %s of the base's %s (%s against %s%s)",
                priority.words,
                percent(tolerance),
                metric(base),
                quality(chosen).text(),
                quality(base).text(),
                doubt(chosen, bar));
    return new Choice(chosen, reason);
  }

  /** The highest cost within the tolerance. */
  private static Estimate bar(Result base, double tolerance) {
    Estimate cost = base.cost();
    return cost.plus(tolerance * Math.abs(cost.value()));
  }

  private static Estimate quality(Result result) {
    return result.metric(metric(result));
  }

  private static String metric(Result result) {
    return result.primary() == null ? Metric.LOSS : result.primary().name();
  }

  /** A remark for the case that the seeds do not tell whether a result is within the tolerance. */
  private static String doubt(Result chosen, Estimate bar) {
    if (chosen.runs().size() == 1) {
      return "; one seed: the spread is unknown";
    }
    return Check.atMost("cost", chosen.cost(), bar).verdict() == Verdict.NOT_TOLD_APART
        ? "; whether it is within that is not told apart by " + chosen.runs().size() + " seeds"
        : "";
  }

  private static Choice best(List<Result> results) {
    Result best =
        results.stream().min(Comparator.comparingDouble(r -> r.cost().value())).orElseThrow();
    int seeds = best.runs().size();
    Result chosen =
        results.stream()
            .filter(r -> r.cost().value() - best.cost().value() <= r.cost().noise(best.cost()))
            .max(Comparator.comparingDouble(Result::trainingSpeed))
            .filter(fastest -> Priority.TRAINING.tellsApart(fastest, best))
            .orElse(best);
    String reason =
        chosen.equals(best)
            ? String.format(
                Locale.ROOT, "best %s, %s", metric(best), Check.number(quality(best).value()))
            : String.format(
                Locale.ROOT,
                "its %s %s is not told apart from the best, %s of %s, by %d seeds, and it trains"
                    + " faster",
                metric(chosen),
                Check.number(quality(chosen).value()),
                Check.number(quality(best).value()),
                best.name(),
                seeds);
    return new Choice(chosen, seeds == 1 ? reason + " (one seed: the spread is unknown)" : reason);
  }

  /**
   * Whether a result is on the Pareto front: no other result is at least as good in quality,
   * training speed, peak memory and bytes on disk, and better in one of them.
   */
  public static boolean isOnFront(Result result, List<Result> all) {
    return ParetoFront.holds(costs(result), all.stream().map(Choice::costs).toList());
  }

  private static double[] costs(Result result) {
    return Stream.of(Priority.QUALITY, Priority.TRAINING, Priority.MEMORY, Priority.SIZE)
        .mapToDouble(priority -> priority.costOf(result))
        .toArray();
  }

  private static String percent(double share) {
    return Check.number(100 * share) + " %";
  }
}
