package dev.jformer.decode;

/**
 * How the next token is chosen from the model's logits. Applied in this order and with the meaning
 * that Hugging Face's transformers gives each: repetition penalty, temperature, top-k, top-p,
 * min-p.
 *
 * <p>Where tokens that score the same stand at the border of top-p, transformers keeps as many of
 * them as here, but leaves open which: its sort is not stable. Here those with the highest ids are
 * kept, as after a stable sort in rising order.
 *
 * @param temperature divides the logits; 0 always takes the most probable token, of equals the
 *     first, whatever top-k, top-p and min-p say
 * @param topK only the k most probable tokens, and those that tie with the last of them, can be
 *     chosen; 0, or more than there are, for all
 * @param topP only the smallest set of most probable tokens with at least this probability can be
 *     chosen (arXiv 1904.09751); 1 for all
 * @param minP only tokens with at least this fraction of the most probable one's probability can be
 *     chosen (arXiv 2407.01082); 0 for all
 * @param repetitionPenalty positive logits of tokens that occurred, in the prompt or after, are
 *     divided by it, negative ones multiplied (CTRL, arXiv 1909.05858); 1 for none
 * @param seed of the draws
 */
public record Sampling(
    double temperature, int topK, double topP, double minP, double repetitionPenalty, long seed) {
  /** Always the most probable token. */
  public static final Sampling GREEDY = new Sampling(0, 0, 1, 0, 1, 0);

  /** Moderately random. */
  public Sampling() {
    this(0.8, 50, 0.95, 0, 1, 1);
  }

  /** Checks the values. */
  public Sampling {
    if (!(temperature >= 0) || Double.isInfinite(temperature)) {
      throw new IllegalArgumentException(
          "temperature is " + temperature + ": expected a finite number, at least 0 (0 = greedy)");
    }
    if (topK < 0) {
      throw new IllegalArgumentException("topK is " + topK + ": expected at least 0 (0 = off)");
    }
    if (!(topP > 0 && topP <= 1)) {
      throw new IllegalArgumentException("topP is " + topP + ": expected it in (0, 1] (1 = off)");
    }
    if (!(minP >= 0 && minP <= 1)) {
      throw new IllegalArgumentException("minP is " + minP + ": expected it in [0, 1] (0 = off)");
    }
    if (!(repetitionPenalty > 0) || Double.isInfinite(repetitionPenalty)) {
      throw new IllegalArgumentException(
          "repetitionPenalty is "
              + repetitionPenalty
              + ": expected a finite number above 0 (1 = off)");
    }
  }

  /** The same with another seed. */
  public Sampling withSeed(long newSeed) {
    return new Sampling(temperature, topK, topP, minP, repetitionPenalty, newSeed);
  }

  /** Whether the most probable token is taken always. */
  public boolean isGreedy() {
    return temperature == 0;
  }
}
