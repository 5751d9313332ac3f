package dev.jformer.position;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.Arrays;

/**
 * The scaling of Llama 3.1 (<a href="https://arxiv.org/abs/2407.21783">The Llama 3 Herd of
 * Models</a>): pairs that turn often within the original length keep their rates, those that turn
 * seldom are slowed down by the factor, and those between are slowed down in part.
 *
 * @param factor at least 1
 * @param lowFrequency pairs with fewer turns within {@code length} are slowed down fully
 * @param highFrequency pairs with more turns within {@code length} keep their rates
 * @param length the longest text that the model was trained on first
 */
@AutoService(RopeScaling.class)
public record Llama3RopeScaling(
    double factor, double lowFrequency, double highFrequency, int length) implements RopeScaling {
  /** Defaults, as in Llama 3.1. */
  public Llama3RopeScaling() {
    this(8, 1, 4, 8192);
  }

  /** Checks the values. */
  public Llama3RopeScaling {
    Checks.atLeast("factor", factor, 1);
    Checks.moreThan("lowFrequency", lowFrequency, 0);
    Checks.moreThan("highFrequency", highFrequency, lowFrequency);
    Checks.atLeast("length", length, 1);
  }

  @Override
  public String type() {
    return "llama3";
  }

  @Override
  public double[] rates(double base, int channels, long tokens) {
    return Arrays.stream(Angles.rates(channels, base)).map(this::slowed).toArray();
  }

  private double slowed(double rate) {
    double turns = length * rate / (2 * Math.PI);
    double kept = (turns - lowFrequency) / (highFrequency - lowFrequency);
    double share = Math.max(0, Math.min(1, kept));
    return share * rate + (1 - share) * rate / factor;
  }
}
