package dev.jformer.studies.incontext;

import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.train.ErrorCurve;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * What was measured of a model, or of a solver, that learns functions in context.
 *
 * @param errors by the number of examples: the share of wrong signs, the squared error, or nats
 * @param seconds of the training; 0 for solvers
 * @param parameters of the model; 0 for solvers
 */
public record ContextResult(List<Double> errors, double seconds, long parameters) {
  static ContextResult of(ErrorCurve curve) {
    return new ContextResult(curve.errors(), 0, 0);
  }

  /** The mean error after at least {@code from} examples. */
  double after(int from) {
    return between(from, errors.size());
  }

  /** The mean error after {@code from} to {@code to - 1} examples. */
  double between(int from, int to) {
    return new ErrorCurve("", errors).mean(from, to);
  }

  /** The mean error of the last quarter. */
  double late() {
    return after(errors.size() * 3 / 4);
  }

  /** The percentage of right signs in the last quarter. */
  double lateAccuracy() {
    return 100 * (1 - late());
  }

  /** Draws errors against the number of examples. */
  static void figure(
      ExperimentContext lab, String title, String unit, Map<String, ContextResult> results) {
    List<Figure.Series> lines = new ArrayList<>();
    results.forEach(
        (name, result) ->
            lines.add(
                Figure.Series.line(
                    name,
                    IntStream.range(0, result.errors().size()).boxed().toList(),
                    result.errors())));
    lab.figure(Figure.of(title, "examples", unit, lines));
  }

  /**
   * The fewest examples after which the next three errors are at most {@code bound}; all if none.
   */
  int reaches(double bound) {
    return reaches(bound, 0);
  }

  /** As above, of at least so many examples. */
  int reaches(double bound, int least) {
    for (int from = least; from + 3 <= errors.size(); from++) {
      if (between(from, from + 3) <= bound) {
        return from;
      }
    }
    return errors.size();
  }
}
