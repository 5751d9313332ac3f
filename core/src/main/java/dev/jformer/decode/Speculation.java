package dev.jformer.decode;

import dev.jformer.config.Checks;
import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Engine;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.Arrays;
import java.util.BitSet;

/**
 * Speculative decoding, of <a href="https://arxiv.org/abs/2211.17192">Fast Inference from
 * Transformers via Speculative Decoding</a>, whose draft can be a part of the model itself, as in
 * <a href="https://arxiv.org/abs/2310.07707">MatFormer: Nested Transformer for Elastic
 * Inference</a>. A small model guesses a few tokens, one after the other; the large one reads all
 * of them at once, which takes it little longer than one, and keeps those that it would have said.
 *
 * <p>Greedily, guesses are kept up to the first that is not the large model's most probable token,
 * which takes its place. With sampling, a guess x is kept with probability min(1, p(x) / q(x)),
 * where p and q are the probabilities that the large and the small model give it after all
 * restrictions of the sampling; if it is not kept, another token is drawn in proportion to max(0, p
 * - q). So the result is distributed as p. In either case one token chosen by the large model
 * follows the last guess kept. Smaller models extracted from a MatFormer are good drafts for the
 * whole one.
 */
public final class Speculation extends Drafting {
  private final CausalLm model;
  private final CausalLm draft;
  private final int ahead;

  /**
   * Counts of guesses.
   *
   * @param rounds number of steps of the large model
   * @param guessed number of tokens guessed
   * @param kept number of guesses that were kept
   */
  public record Tally(long rounds, long guessed, long kept) {
    /** Share of the guesses that were kept. */
    public double share() {
      return (double) kept / guessed;
    }
  }

  Speculation(CausalLm model, CausalLm draft, int ahead) {
    super(model);
    if (draft.config().vocab() != model.config().vocab()) {
      throw new IllegalArgumentException(
          "the draft has a vocabulary of "
              + draft.config().vocab()
              + ", the model one of "
              + model.config().vocab()
              + ": expected the same");
    }
    if (draft.longest() < model.longest()) {
      throw new IllegalArgumentException(
          "the draft reads "
              + draft.longest()
              + " tokens, the model "
              + model.longest()
              + ": expected a draft that reads at least as many");
    }
    Checks.atLeast("ahead", ahead, 1);
    this.model = model;
    this.draft = draft;
    this.ahead = ahead;
  }

  @Override
  Rounds begin(Sequence sequence, int capacity) {
    if (draft.isTraining()) {
      throw new IllegalStateException(
          "the draft is in training, with dropout active: call train(false) first");
    }
    CausalLm.Decoding full = model.decode(1, capacity);
    CausalLm.Decoding quick;
    try {
      quick = draft.decode(1, capacity);
    } catch (RuntimeException e) {
      full.close();
      throw e;
    }
    return new Rounds() {
      @Override
      public void next(int most) {
        round(sequence, full, quick, Math.min(ahead, most));
      }

      @Override
      public void close() {
        quick.close();
        full.close();
      }
    };
  }

  private void round(
      Sequence sequence, CausalLm.Decoding full, CausalLm.Decoding quick, int count) {
    int length = sequence.length();
    int[] guesses = new int[count];
    Candidates[] chances = new Candidates[count];
    guess(sequence, quick, guesses, chances);
    int right = 0;
    try (Scope scope = Scope.open()) {
      long[] ids = tokens(sequence, Math.toIntExact(full.length()), guesses);
      Tensor scores = full.all(Tensor.of(ids, 1, ids.length)).squeeze(0);
      long first = ids.length - 1L - count;
      for (int i = 0; i <= count && sequence.isOpen(); i++) {
        float[] logits = scores.select(0, first + i).toFloats();
        int guess = i < count ? guesses[i] : -1;
        int next = decide(sequence, logits, guess, i < count ? chances[i] : null);
        sequence.take(next);
        if (next != guess) {
          break;
        }
        right++;
      }
    }
    count(count, right);
    long valid = Math.max(length, sequence.length() - 1);
    full.truncate(valid);
    quick.truncate(valid);
  }

  /** Fills in guesses and, if they are drawn, the candidates that each was drawn from. */
  private static void guess(
      Sequence sequence, CausalLm.Decoding quick, int[] guesses, Candidates[] chances) {
    BitSet seen = (BitSet) sequence.seen().clone();
    for (int i = 0; i < guesses.length; i++) {
      try (Scope scope = Scope.open()) {
        int from = Math.toIntExact(quick.length());
        long[] ids = tokens(sequence, from, Arrays.copyOf(guesses, i));
        try (Mode mode = ids.length == 1 ? Engine.singleThreaded() : () -> {}) {
          float[] logits = quick.next(Tensor.of(ids, 1, ids.length)).squeeze(0).toFloats();
          if (sequence.sampler().isGreedy()) {
            guesses[i] = sequence.sampler().next(logits, seen, null);
          } else {
            chances[i] = sequence.sampler().candidates(logits, seen);
            guesses[i] = chances[i].draw(sequence.random());
          }
        }
        seen.set(guesses[i]);
      }
    }
  }

  /** The tokens of a sequence and of guesses after it, from a position on. */
  private static long[] tokens(Sequence sequence, int from, int[] guesses) {
    int length = sequence.length();
    long[] ids = new long[length + guesses.length - from];
    for (int i = 0; i < ids.length; i++) {
      int at = from + i;
      ids[i] = at < length ? sequence.at(at) : guesses[at - length];
    }
    return ids;
  }

  /** The next token: the guess if it is kept, else another. */
  private static int decide(Sequence sequence, float[] logits, int guess, Candidates chances) {
    if (chances == null) {
      return sequence.sampler().next(logits, sequence.seen(), sequence.random());
    }
    Candidates own = sequence.sampler().candidates(logits, sequence.seen());
    double ratio = own.probability(guess) / chances.probability(guess);
    if (sequence.random().nextDouble() < ratio) {
      return guess;
    }
    return own.without(chances).draw(sequence.random());
  }
}
