package dev.jformer.position;

import com.google.auto.service.AutoService;

/** Rotary positions as they are, without scaling. */
@AutoService(RopeScaling.class)
public record UnscaledRope() implements RopeScaling {
  @Override
  public String type() {
    return "none";
  }

  @Override
  public double[] rates(double base, int channels, long length) {
    return Angles.rates(channels, base);
  }
}
