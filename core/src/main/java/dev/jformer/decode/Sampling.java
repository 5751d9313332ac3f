package dev.jformer.decode;

/**
 * Settings for choosing the next token from the model's logits. They are applied in this order and
 * mean the same as in Hugging Face's transformers: repetition penalty, temperature, top-k, top-p,
 * min-p.
 *
 * <p>If tokens with equal scores are at the border of top-p, transformers keeps the same number of
 * them but, as its sort is not stable, does not define which. Here those with the highest ids are
 * kept, as after a stable sort in rising order.
 *
 * @param temperature divides the logits; 0 always takes the most probable token (of equals the
 *     first) and ignores top-k, top-p and min-p
 * @param topK only the k most probable tokens, and those that tie with the last of them, can be
 *     chosen; 0, or a number larger than the vocabulary, for all
 * @param topP only the smallest set of most probable tokens with at least this probability can be
 *     chosen (<a href="https://arxiv.org/abs/1904.09751">The Curious Case of Neural Text
 *     Degeneration</a>); 1 for all
 * @param minP only tokens with at least this fraction of the most probable one's probability can be
 *     chosen (<a href="https://arxiv.org/abs/2407.01082">Turning Up the Heat: Min-p Sampling for
 *     Creative and Coherent LLM Outputs</a>); 0 for all
 * @param repetitionPenalty positive logits of tokens that occurred, in the prompt or after, are
 *     divided by it, negative ones multiplied (<a href="https://arxiv.org/abs/1909.05858">CTRL: A
 *     Conditional Transformer Language Model for Controllable Generation</a>); 1 for none
 * @param seed of the draws
 */
public record Sampling(
    double temperature, int topK, double topP, double minP, double repetitionPenalty, long seed) {
  /** Greedy decoding: always the most probable token. */
  public static final Sampling GREEDY = new Sampling(0, 0, 1, 0, 1, 0);

  /** The default, which is moderately random. */
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

  /** These settings with another seed. */
  public Sampling withSeed(long newSeed) {
    return new Sampling(temperature, topK, topP, minP, repetitionPenalty, newSeed);
  }

  /**
   * Draws at a temperature from all tokens.
   *
   * @param temperature 1 for the model's own probabilities, less for surer choices, 0 for greedy
   */
  public static Sampling of(double temperature) {
    return new Sampling(temperature, 0, 1, 0, 1, 1);
  }

  /** A request for at most so many tokens that are chosen so. */
  public Generator.Request maxTokens(int tokens) {
    return new Generator.Request(tokens, this);
  }

  /** Whether always the most probable token is taken. */
  public boolean isGreedy() {
    return temperature == 0;
  }
}
