package dev.jformer.decode;

/**
 * How the next token is chosen from the model's scores. Applied in this order, as in Hugging Face's
 * transformers: repetition penalty, temperature, top-k, top-p.
 *
 * @param temperature divides the logits; 0 takes the most probable token always
 * @param topK only the k most probable tokens can be chosen; 0 for all
 * @param topP only the smallest set of most probable tokens with at least this probability can be
 *     chosen (arXiv 1904.09751); 1 for all
 * @param repetitionPenalty positive logits of tokens that occurred are divided by it, negative ones
 *     multiplied (arXiv 1909.05858); 1 for none
 * @param seed of the draws
 */
public record Sampling(
    double temperature, int topK, double topP, double repetitionPenalty, long seed) {
  /** Always the most probable token. */
  public static final Sampling GREEDY = new Sampling(0, 0, 1, 1, 0);

  /** Moderately random. */
  public Sampling() {
    this(0.8, 50, 0.95, 1, 1);
  }

  /** Checks the values. */
  public Sampling {
    if (!(temperature >= 0) || Double.isInfinite(temperature)) {
      throw new IllegalArgumentException("temperature is " + temperature + ": expected at least 0");
    }
    if (topK < 0) {
      throw new IllegalArgumentException("topK is " + topK + ": expected at least 0");
    }
    if (!(topP > 0 && topP <= 1)) {
      throw new IllegalArgumentException("topP is " + topP + ": expected it in (0, 1]");
    }
    if (!(repetitionPenalty > 0) || Double.isInfinite(repetitionPenalty)) {
      throw new IllegalArgumentException(
          "repetitionPenalty is " + repetitionPenalty + ": expected more than 0");
    }
  }
}
