package dev.jformer.studies.trial;

import dev.jformer.studies.evidence.Figure;
import java.util.List;

/**
 * What came of training a model.
 *
 * @param training losses of batches, averaged over short stretches
 * @param validation losses on held-out data
 * @param finalLoss the last loss on held-out data; infinite if training diverged
 * @param steps updates done
 * @param seconds of training, evaluations left out
 * @param unitsPerSecond throughput of training, in tokens or the like
 * @param parameters number of weights
 * @param peakBytes the most memory training took beyond what the process held before; -1 if unknown
 * @param flopsPerUnit operations of matrix products per token, forward and backward
 * @param diverged whether the loss ceased to be a number
 */
public record TrainingResult(
    List<Point> training,
    List<Point> validation,
    double finalLoss,
    long steps,
    double seconds,
    double unitsPerSecond,
    long parameters,
    long peakBytes,
    double flopsPerUnit,
    boolean diverged) {

  /**
   * A loss.
   *
   * @param step after which update
   * @param seconds of training until then
   * @param loss in nats
   */
  public record Point(long step, double seconds, double loss) {}

  /** The lowest loss on held-out data; infinite if there is none. */
  public double bestLoss() {
    return validation.stream()
        .mapToDouble(Point::loss)
        .filter(Double::isFinite)
        .min()
        .orElse(Double.POSITIVE_INFINITY);
  }

  /**
   * Updates until the held-out loss first reached {@code loss}, interpolated between evaluations;
   * NaN if it never did.
   */
  public double stepsTo(double loss) {
    return reach(loss, Point::step);
  }

  /** As {@link #stepsTo}, in seconds of training. */
  public double secondsTo(double loss) {
    return reach(loss, Point::seconds);
  }

  private double reach(double loss, java.util.function.ToDoubleFunction<Point> measure) {
    Point before = null;
    for (Point point : validation) {
      if (point.loss() <= loss) {
        double here = measure.applyAsDouble(point);
        if (before == null || !(before.loss() > point.loss())) {
          return here;
        }
        double share = (before.loss() - loss) / (before.loss() - point.loss());
        double there = measure.applyAsDouble(before);
        return there + share * (here - there);
      }
      before = point;
    }
    return Double.NaN;
  }

  /** Mean of the final losses of several runs. */
  public static double loss(List<TrainingResult> runs) {
    return Seeds.mean(runs, TrainingResult::finalLoss);
  }

  /** Standard deviation of the final losses of several runs; 0 for one. */
  public static double spread(List<TrainingResult> runs) {
    return Seeds.spread(runs, TrainingResult::finalLoss);
  }

  /** The losses on held-out data by updates, as a curve. */
  public Figure.Series curve(String name) {
    return Figure.Series.line(
        name,
        validation.stream().map(point -> (double) point.step()).toList(),
        validation.stream().map(Point::loss).toList());
  }
}
