package dev.jformer.data.algorithm;

import dev.jformer.config.Checks;
import java.util.random.RandomGenerator;

/**
 * A Markov source of order k with two symbols, in which each depends only on the one k before it:
 * the source of <a href="https://arxiv.org/abs/2404.08335">Toward a Theory of Tokenization in
 * LLMs</a>. For k above 1, k chains are interleaved, so that neighbours tell nothing about each
 * other.
 *
 * @param order how far back the symbol is that a symbol depends on, at least 1
 * @param toB probability of {@code b} after an {@code a}, above 0 and below 1
 * @param toA probability of {@code a} after a {@code b}, above 0 and below 1
 */
public record SwitchingSource(int order, double toB, double toA) {
  /** Checks the values. */
  public SwitchingSource {
    Checks.atLeast("order", order, 1);
    Checks.part("toB", toB);
    Checks.part("toA", toA);
  }

  /** The share of {@code b} in the long run. */
  public double shareOfB() {
    return toB / (toA + toB);
  }

  /** Bits a symbol that the best model needs: the entropy rate. */
  public double entropyRate() {
    return (1 - shareOfB()) * entropy(toB) + shareOfB() * entropy(toA);
  }

  /** Bits a symbol that the best model of independent symbols needs. */
  public double independentEntropy() {
    return entropy(shareOfB());
  }

  /** The smallest probability of a symbol after another, δ in the paper. */
  public double smallest() {
    return Math.min(Math.min(toB, 1 - toB), Math.min(toA, 1 - toA));
  }

  /**
   * The paper's bound of the loss of independent tokens: the entropy rate over 1 - ε, where ε =
   * log(1/δ) / (0.99 log d) for a dictionary of d tokens by Lempel, Ziv and Welch.
   *
   * @return bits a symbol; infinite if the dictionary is too small for the bound to say anything
   */
  public double bound(int tokens) {
    double epsilon = Math.log(1 / smallest()) / (0.99 * Math.log(tokens));
    return epsilon < 1 ? entropyRate() / (1 - epsilon) : Double.POSITIVE_INFINITY;
  }

  /** Symbols {@code a} and {@code b}, from the long run on. */
  public String sample(int symbols, RandomGenerator random) {
    StringBuilder text = new StringBuilder(symbols);
    for (int i = 0; i < symbols; i++) {
      double b = i < order ? shareOfB() : text.charAt(i - order) == 'a' ? toB : 1 - toA;
      text.append(random.nextDouble() < b ? 'b' : 'a');
    }
    return text.toString();
  }

  private static double entropy(double p) {
    return p <= 0 || p >= 1 ? 0 : -(p * Math.log(p) + (1 - p) * Math.log1p(-p)) / Math.log(2);
  }
}
