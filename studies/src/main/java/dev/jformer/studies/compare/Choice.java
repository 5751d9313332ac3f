package dev.jformer.studies.compare;

import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.ParetoFront;
import dev.jformer.studies.evidence.Verdict;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * Which variant to take, and why.
 *
 * @param result the one chosen
 * @param reason in one or two sentences
 */
public record Choice(Result result, String reason) {
  /** What matters most to the user. */
  public enum Priority {
    /** The lowest loss. */
    QUALITY("loss", Result::loss),
    /** The fastest training. */
    TRAINING("training speed", r -> -r.trainingTokens()),
    /** The fastest writing of text. */
    WRITING(
        "writing speed",
        r -> Double.isNaN(r.inference().writtenTokens()) ? 0 : -r.inference().writtenTokens()),
    /** The least memory in training. */
    MEMORY("peak memory", Result::peakBytes),
    /** The fewest weights. */
    SIZE("number of weights", r -> (double) r.parameters());

    private final String words;
    private final ToDoubleFunction<Result> cost;

    Priority(String words, ToDoubleFunction<Result> cost) {
      this.words = words;
      this.cost = cost;
    }
  }

  /**
   * Chooses. For quality it is the lowest loss; where the spread over the seeds does not tell a
   * faster variant apart from it (see {@link Check}), the faster one. For anything else it is the
   * cheapest of those whose loss is at most {@code tolerance} above the base's.
   *
   * @param results the base first
   * @param tolerance share of the base's loss
   */
  public static Choice of(List<Result> results, Priority priority, double tolerance) {
    Result base = results.get(0);
    if (priority == Priority.QUALITY) {
      return best(results);
    }
    double bar = base.loss() * (1 + tolerance);
    Result chosen =
        results.stream()
            .filter(r -> r.loss() <= bar)
            .min(Comparator.comparingDouble(priority.cost))
            .orElse(base);
    String reason =
        chosen.equals(base)
            ? "no technique improves the "
                + priority.words
                + " at a loss within "
                + percent(tolerance)
                + " of the base's"
            : String.format(
                java.util.Locale.ROOT,
                "best %s of those within %s of the base's loss (%s against %s%s)",
                priority.words,
                percent(tolerance),
                chosen.losses().text(),
                base.losses().text(),
                doubt(chosen, base, tolerance));
    return new Choice(chosen, reason);
  }

  /** What is to be said if the spread over the seeds leaves open whether a loss is within it. */
  private static String doubt(Result chosen, Result base, double tolerance) {
    Check within = Check.atMost("loss", chosen.losses(), base.losses().times(1 + tolerance));
    if (chosen.runs().size() == 1) {
      return "; one seed: the spread is unknown";
    }
    return within.verdict() == Verdict.NOT_TOLD_APART
        ? "; whether it is within that is not told apart by " + chosen.runs().size() + " seeds"
        : "";
  }

  private static Choice best(List<Result> results) {
    Result lowest = results.stream().min(Comparator.comparingDouble(Result::loss)).orElseThrow();
    int seeds = lowest.runs().size();
    Result chosen =
        results.stream()
            .filter(r -> r.loss() - lowest.loss() <= r.losses().noise(lowest.losses()))
            .max(Comparator.comparingDouble(Result::trainingTokens))
            .orElse(lowest);
    String reason =
        chosen.equals(lowest)
            ? "lowest loss, " + Check.number(lowest.loss())
            : "its loss "
                + Check.number(chosen.loss())
                + " is not told apart from the lowest, "
                + Check.number(lowest.loss())
                + " of "
                + lowest.name()
                + ", by "
                + seeds
                + " seeds, and it trains faster";
    return new Choice(chosen, seeds == 1 ? reason + " (one seed: the spread is unknown)" : reason);
  }

  /**
   * Whether no other result is at least as good in loss, training speed, peak memory and number of
   * weights, and better in one of them.
   */
  public static boolean isOnFront(Result result, List<Result> all) {
    return ParetoFront.holds(costs(result), all.stream().map(Choice::costs).toList());
  }

  private static double[] costs(Result result) {
    return Stream.of(Priority.QUALITY, Priority.TRAINING, Priority.MEMORY, Priority.SIZE)
        .mapToDouble(priority -> priority.cost.applyAsDouble(result))
        .toArray();
  }

  private static String percent(double share) {
    return Check.number(100 * share) + " %";
  }
}
