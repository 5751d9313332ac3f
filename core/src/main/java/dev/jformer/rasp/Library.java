package dev.jformer.rasp;

/**
 * What programs in RASP-L are put together from (<a href="https://arxiv.org/abs/2310.16028">What
 * Algorithms can Transformers Learn? A Study in Length Generalization</a>). Every function looks at
 * a place and those before it only.
 */
public final class Library {
  /** A value that is no token, for places that must match nothing. */
  static final int NOTHING = Integer.MIN_VALUE;

  private Library() {}

  /** Moves values to later places; the first {@code steps} places get {@code otherwise}. */
  public static Sequence shiftRight(Sequence x, int steps, int otherwise) {
    Sequence here = Sequence.positions();
    return Sequence.attend(here.moved(steps), here, Match.EQUAL, x, otherwise, Reduction.MEAN);
  }

  /** The number of places so far at which x is not 0. */
  public static Sequence countTrue(Sequence x) {
    Sequence truth = x.map("!= 0", a -> a != 0 ? 1 : 0);
    return Sequence.count(truth, Sequence.constant(1), Match.EQUAL);
  }

  /** The number of places so far at which x equals the query. */
  public static Sequence countOf(Sequence x, Sequence query) {
    return Sequence.count(x, query, Match.EQUAL);
  }

  /** Whether x has equalled the query so far. */
  public static Sequence hasSeen(Sequence x, Sequence query) {
    return Sequence.attend(x, query, Match.EQUAL, Sequence.constant(1), 0, Reduction.MEAN);
  }

  /** The largest value so far. */
  public static Sequence maximum(Sequence x) {
    return Sequence.attend(x, x, Match.ANY, x, 0, Reduction.MAX);
  }

  /** The smallest value so far. */
  public static Sequence minimum(Sequence x) {
    return Sequence.attend(x, x, Match.ANY, x, 0, Reduction.MIN);
  }

  /** The first position so far at which x equals the query; -1 for none. */
  public static Sequence first(Sequence x, Sequence query) {
    return Sequence.attend(x, query, Match.EQUAL, Sequence.positions(), -1, Reduction.MIN);
  }

  /** The last position so far at which x equals the query; -1 for none. */
  public static Sequence last(Sequence x, Sequence query) {
    return Sequence.attend(x, query, Match.EQUAL, Sequence.positions(), -1, Reduction.MAX);
  }

  /** The value of x at a position; {@code otherwise} where it is later than the place, or none. */
  public static Sequence at(Sequence x, Sequence position, int otherwise) {
    return Sequence.attend(
        Sequence.positions(), position, Match.EQUAL, x, otherwise, Reduction.MEAN);
  }

  /** The first position so far at which x is not 0; -1 for none. */
  public static Sequence firstTrue(Sequence x) {
    return first(x.map("!= 0", a -> a != 0 ? 1 : 0), Sequence.constant(1));
  }

  /**
   * Copies by induction: what follows the first place at which x equals the query, {@code steps}
   * later; only places before the present one by that many count. 0 where there is none.
   */
  public static Sequence after(Sequence x, Sequence query, int steps) {
    return at(x, first(shiftRight(x, steps, NOTHING), query), 0);
  }

  /** What stands {@code steps} before the first place at which x equals the query, or 0. */
  public static Sequence before(Sequence x, Sequence query, int steps) {
    return at(x, first(x, query).moved(-steps), 0);
  }

  /** The most frequent value so far; of several, the one that was so frequent first. */
  public static Sequence mode(Sequence x) {
    Sequence counts = countOf(x, x);
    return at(x, first(counts, maximum(counts)), 0);
  }

  /** Whether both are not 0. */
  public static Sequence and(Sequence x, Sequence y) {
    return x.zip("and", y, (a, b) -> a != 0 && b != 0 ? 1 : 0);
  }

  /** Whether one of them is not 0. */
  public static Sequence or(Sequence x, Sequence y) {
    return x.zip("or", y, (a, b) -> a != 0 || b != 0 ? 1 : 0);
  }

  /** Whether it is 0. */
  public static Sequence not(Sequence x) {
    return x.map("not", a -> a == 0 ? 1 : 0);
  }

  /** Whether it equals a constant. */
  public static Sequence is(Sequence x, int value) {
    return x.map("== " + value, a -> a == value ? 1 : 0);
  }
}
