package dev.jformer.decode;

import java.util.function.BooleanSupplier;

/** A way to continue a sequence by several guessed tokens at a time. */
abstract class Drafting {
  /** Continues a sequence until it ends, or until {@code stopping} says so. */
  abstract void generate(Sequence sequence, BooleanSupplier stopping);

  /** What became of the guesses so far. */
  abstract Speculation.Tally tally();
}
