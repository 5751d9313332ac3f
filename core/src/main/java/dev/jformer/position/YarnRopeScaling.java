package dev.jformer.position;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;

/**
 * YaRN (<a href="https://arxiv.org/abs/2309.00071">YaRN: Efficient Context Window Extension of
 * Large Language Models</a>): pairs that turn often within the original length keep their rates,
 * those that turn seldom are slowed down by the factor, with a ramp over the pairs between; logits
 * grow a little.
 *
 * @param factor at least 1
 * @param length the longest text that the model was trained on first
 * @param fast the number of turns within {@code length} from which on pairs keep their rates
 * @param slow the number of turns up to which pairs are slowed down fully
 * @param wholePairs whether the ramp begins and ends at whole pairs
 * @param magnitude the factor of queries and keys; 0 for {@code 0.1 ln(factor) + 1}
 */
@AutoService(RopeScaling.class)
public record YarnRopeScaling(
    double factor, int length, double fast, double slow, boolean wholePairs, double magnitude)
    implements RopeScaling {
  /** Defaults: four times the length of 2048 tokens. */
  public YarnRopeScaling() {
    this(4, 2048, 32, 1, true, 0);
  }

  /** Checks the values. */
  public YarnRopeScaling {
    Checks.atLeast("factor", factor, 1);
    Checks.atLeast("length", length, 1);
    Checks.moreThan("slow", slow, 0);
    Checks.moreThan("fast", fast, slow);
    Checks.atLeast("magnitude", magnitude, 0);
    magnitude = magnitude == 0 ? 0.1 * Math.log(factor) + 1 : magnitude;
  }

  @Override
  public String type() {
    return "yarn";
  }

  @Override
  public double[] rates(double base, int channels, long tokens) {
    double first = pair(fast, base, channels);
    double last = pair(slow, base, channels);
    double from = Math.max(0, wholePairs ? Math.floor(first) : first);
    double to = Math.min(channels - 1, wholePairs ? Math.ceil(last) : last);
    double width = to == from ? 0.001 : to - from;
    double[] rates = Angles.rates(channels, base);
    for (int i = 0; i < rates.length; i++) {
      double slowed = Math.max(0, Math.min(1, (i - from) / width));
      rates[i] = rates[i] / factor * slowed + rates[i] * (1 - slowed);
    }
    return rates;
  }

  /** The pair, a fraction in general, that turns so often within the length. */
  private double pair(double turns, double base, int channels) {
    return channels * Math.log(length / (turns * 2 * Math.PI)) / (2 * Math.log(base));
  }
}
