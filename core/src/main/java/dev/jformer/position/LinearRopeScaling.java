package dev.jformer.position;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.Arrays;

/**
 * Positions divided by a factor (<a href="https://arxiv.org/abs/2306.15595">Extending Context
 * Window of Large Language Models via Positional Interpolation</a>).
 *
 * @param factor at least 1
 */
@AutoService(RopeScaling.class)
public record LinearRopeScaling(double factor) implements RopeScaling {
  /** Default: twice the length. */
  public LinearRopeScaling() {
    this(2);
  }

  /** Checks the value. */
  public LinearRopeScaling {
    Checks.atLeast("factor", factor, 1);
  }

  @Override
  public String type() {
    return "linear";
  }

  @Override
  public double[] rates(double base, int channels, long length) {
    return Arrays.stream(Angles.rates(channels, base)).map(rate -> rate / factor).toArray();
  }
}
