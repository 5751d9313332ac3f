package dev.jformer.position;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.List;

/**
 * LongRoPE (<a href="https://arxiv.org/abs/2402.13753">LongRoPE: Extending LLM Context Window
 * Beyond 2 Million Tokens</a>): each pair is slowed down by a factor of its own, one for texts up
 * to the original length and another one for longer texts.
 *
 * @param shortFactors a factor for each pair
 * @param longFactors a factor for each pair in longer texts
 * @param length the longest text for which the first factors are used
 * @param magnitude the factor of queries and keys
 */
@AutoService(RopeScaling.class)
public record LongRopeScaling(
    List<Double> shortFactors, List<Double> longFactors, int length, double magnitude)
    implements RopeScaling {
  /** Defaults: no change in heads of four pairs. */
  public LongRopeScaling() {
    this(List.of(1.0, 1.0, 1.0, 1.0), List.of(1.0, 1.0, 1.0, 1.0), 4096, 1);
  }

  /** Copies the lists and checks the values. */
  public LongRopeScaling {
    shortFactors = List.copyOf(shortFactors);
    longFactors = List.copyOf(longFactors);
    shortFactors.forEach(factor -> Checks.moreThan("shortFactors", factor, 0));
    longFactors.forEach(factor -> Checks.moreThan("longFactors", factor, 0));
    Checks.atLeast("length", length, 1);
    Checks.moreThan("magnitude", magnitude, 0);
  }

  @Override
  public String type() {
    return "longrope";
  }

  @Override
  public double[] rates(double base, int channels, long tokens) {
    boolean isLong = tokens > length;
    List<Double> factors = isLong ? longFactors : shortFactors;
    double[] rates = Angles.rates(channels, base);
    Checks.check(
        factors.size() == rates.length,
        isLong ? "longFactors" : "shortFactors",
        factors.size() + " numbers",
        rates.length + ", one for each pair of the " + channels + " rotated channels");
    for (int i = 0; i < rates.length; i++) {
      rates[i] /= factors.get(i);
    }
    return rates;
  }

  @Override
  public boolean changes(long tokens, long other) {
    return tokens > length != other > length && !shortFactors.equals(longFactors);
  }
}
