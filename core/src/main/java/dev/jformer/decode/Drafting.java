package dev.jformer.decode;

import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import java.util.function.BooleanSupplier;

/** A way to continue a sequence by several guessed tokens at a time, in rounds. */
abstract class Drafting {
  private final CausalLm model;
  private long rounds;
  private long guessed;
  private long kept;

  /** Creates a way for the model whose texts are made. */
  Drafting(CausalLm model) {
    this.model = model;
  }

  /** What is kept between the rounds of a sequence. */
  interface Rounds extends AutoCloseable {
    /**
     * Takes one token at least, of guesses and of others.
     *
     * @param most the most tokens to guess, from 0
     */
    void next(int most);

    @Override
    void close();
  }

  /**
   * Begins a sequence.
   *
   * @param capacity the most tokens that are read of it
   */
  abstract Rounds begin(Sequence sequence, int capacity);

  /** Continues a sequence until it ends, or until {@code stopping} says so. */
  final void generate(Sequence sequence, BooleanSupplier stopping) {
    // The last token chosen is never read.
    int capacity = (int) Math.min(sequence.length() + sequence.remaining() - 1L, model.longest());
    try (Mode mode = Autograd.inference();
        Rounds steps = begin(sequence, capacity)) {
      while (sequence.isOpen()) {
        boolean stopped = stopping.getAsBoolean();
        if (stopped || sequence.length() > capacity) {
          sequence.end(stopped ? Generator.Ending.INTERRUPTED : Generator.Ending.CONTEXT_FULL);
          break;
        }
        steps.next(Math.min(capacity - sequence.length(), sequence.remaining() - 1));
      }
    }
  }

  /** Counts a round. */
  final void count(int guesses, int right) {
    rounds++;
    guessed += guesses;
    kept += right;
  }

  /** What became of the guesses so far. */
  final Speculation.Tally tally() {
    return new Speculation.Tally(rounds, guessed, kept);
  }
}
