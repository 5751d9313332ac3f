package dev.jformer.incontext;

import dev.jformer.config.Checks;
import java.util.random.RandomGenerator;

/**
 * Sequences whose last token decides which tokens stand before it, and which one comes next (<a
 * href="https://arxiv.org/abs/2305.16380">Scan and Snap: Understanding Training Dynamics and Token
 * Composition in 1-layer Transformer</a>). For each next token there are tokens that stand with it
 * alone, some often and some rarely, and tokens that are common to all.
 *
 * <p>Settled here: a last token has as many next tokens as {@code classes}; all are equally
 * frequent; distinct tokens of one next token have weights from 0.1 to 1 in even steps, common ones
 * 1.
 *
 * @param lasts number of last tokens
 * @param classes next tokens of each last token
 * @param common tokens that stand with every next token
 * @param distinct tokens that stand with one next token alone
 * @param length tokens of a sequence before the last one
 */
public record CooccurrenceSource(int lasts, int classes, int common, int distinct, int length) {
  /** The paper's: two last tokens, each with a next one, 10 common and 10 distinct tokens each. */
  public CooccurrenceSource() {
    this(2, 1, 10, 10, 127);
  }

  /** Checks the values. */
  public CooccurrenceSource {
    Checks.atLeast("lasts", lasts, 1);
    Checks.atLeast("classes", classes, 1);
    Checks.atLeast("common", common, 0);
    Checks.atLeast("distinct", distinct, 1);
    Checks.atLeast("length", length, 1);
  }

  /** The number of next tokens. */
  public int nexts() {
    return lasts * classes;
  }

  /** The number of tokens: last, next, common and distinct ones. */
  public int tokens() {
    return lasts + nexts() + common + nexts() * distinct;
  }

  /** The first common token. */
  public int firstCommon() {
    return lasts + nexts();
  }

  /** A distinct token of a next token, from 0 on. */
  public int distinctToken(int next, int index) {
    return firstCommon() + common + next * distinct + index;
  }

  /** The probability of each token before a last token and a next token. */
  public double[] distribution(int next) {
    double[] weights = new double[tokens()];
    double sum = 0;
    for (int i = 0; i < common; i++) {
      weights[firstCommon() + i] = 1;
      sum += 1;
    }
    for (int i = 0; i < distinct; i++) {
      double weight = distinct == 1 ? 1 : 0.1 + 0.9 * i / (distinct - 1);
      weights[distinctToken(next, i)] = weight;
      sum += weight;
    }
    for (int i = 0; i < weights.length; i++) {
      weights[i] /= sum;
    }
    return weights;
  }

  /**
   * A sequence.
   *
   * @param counts how often each token stands before the last one
   * @param last the last token
   * @param next the token that comes next
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Sequence(int[] counts, int last, int next) {}

  /** Draws a sequence. */
  public Sequence draw(RandomGenerator random) {
    int next = random.nextInt(nexts());
    double[] distribution = distribution(next);
    int[] counts = new int[tokens()];
    for (int i = 0; i < length; i++) {
      double at = random.nextDouble();
      int token = -1;
      for (int t = 0; t < distribution.length && at >= 0; t++) {
        if (distribution[t] > 0) {
          at -= distribution[t];
          token = t;
        }
      }
      counts[token]++;
    }
    return new Sequence(counts, next / classes, lasts + next);
  }
}
