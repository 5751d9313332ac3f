package dev.jformer.position;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;

/**
 * A base that grows with texts longer than the model was trained on, which "dynamic NTK scaling" is
 * known as: {@code base (factor n / length - (factor - 1))^(d / (d - 2))} for n tokens and d
 * rotated channels (<a href="https://arxiv.org/abs/2309.00071">YaRN: Efficient Context Window
 * Extension of Large Language Models</a> describes it in section 3.3).
 *
 * <p>All tokens change with each token beyond that length, so nothing of a longer text can be kept
 * in decoding: each token then takes a pass over the whole text.
 *
 * @param factor at least 1
 * @param length the longest text with the base unchanged
 */
@AutoService(RopeScaling.class)
public record DynamicRopeScaling(double factor, int length) implements RopeScaling {
  /** Defaults: twice the length of 2048 tokens. */
  public DynamicRopeScaling() {
    this(2, 2048);
  }

  /** Checks the values. */
  public DynamicRopeScaling {
    Checks.atLeast("factor", factor, 1);
    Checks.atLeast("length", length, 1);
  }

  @Override
  public String type() {
    return "dynamic";
  }

  @Override
  public double[] rates(double base, int channels, long tokens) {
    Checks.atLeast("channels", channels, 4);
    double growth = factor * Math.max(tokens, length) / length - (factor - 1);
    double exponent = channels / (channels - 2.0);
    return Angles.rates(channels, base * Math.pow(growth, exponent));
  }

  @Override
  public boolean changes(long tokens, long other) {
    return Math.max(tokens, length) != Math.max(other, length);
  }
}
