package dev.jformer.train;

import dev.jformer.config.Checks;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * The schedule of the learning rate: a linear warm-up to the peak, then a decay.
 *
 * @param shape the shape of the decay
 * @param warmup steps until the peak is reached
 * @param floor the last step's rate as a share of the peak, or the lowest where the shape does not
 *     end
 */
@RecordBuilder
public record Schedule(Shape shape, int warmup, double floor) implements ScheduleBuilder.With {
  /** The shape of the decay from the peak. */
  public enum Shape {
    /**
     * Half a cosine (<a href="https://arxiv.org/abs/1608.03983">SGDR: Stochastic Gradient Descent
     * with Warm Restarts</a>, without restarts).
     */
    COSINE,
    /** A straight line. */
    LINEAR,
    /** No decay. */
    CONSTANT,
    /**
     * The peak times √(warmup / step), whatever the number of steps (<a
     * href="https://arxiv.org/abs/1706.03762">Attention Is All You Need</a>); without a warm-up,
     * times 1/√step.
     */
    INVERSE_SQRT
  }

  /** Default schedule. */
  public Schedule() {
    this(Shape.COSINE, 100, 0.1);
  }

  /** Checks the values. */
  public Schedule {
    Checks.notNull("shape", shape);
    Checks.atLeast("warmup", warmup, 0);
    Checks.check(floor >= 0 && floor <= 1, "floor", floor, "a share in [0, 1]");
  }

  /** The factor on the peak rate at a step, counted from 0, of {@code total}; at most 1. */
  public double factor(long step, long total) {
    if (step < warmup) {
      return (step + 1.0) / warmup;
    }
    double done = Math.min(1, (double) (step - warmup) / Math.max(1, total - 1 - warmup));
    return switch (shape) {
      case COSINE -> floor + (1 - floor) * (1 + Math.cos(Math.PI * done)) / 2;
      case LINEAR -> floor + (1 - floor) * (1 - done);
      case CONSTANT -> 1;
      case INVERSE_SQRT -> Math.max(floor, Math.sqrt(Math.max(1.0, warmup) / Math.max(1, step)));
    };
  }
}
