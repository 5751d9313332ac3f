package dev.jformer.decode;

import dev.jformer.config.Checks;
import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/**
 * Speculative Jacobi decoding: a model guesses several tokens and checks them itself, all in one
 * pass, as in <a href="https://arxiv.org/abs/2410.01699">Accelerating Auto-regressive Text-to-Image
 * Generation with Training-free Speculative Jacobi Decoding</a>. It needs no other model and no
 * training, and pays off where what follows depends little on single tokens, as in images.
 *
 * <p>A pass reads a window of guesses and gives the probabilities p of the token at each of its
 * places. From the left, a guess x that was drawn from probabilities q is kept with probability
 * min(1, p(x) / q(x)); the first that is not kept is replaced by a draw in proportion to max(0, p -
 * q). All places behind it get new guesses, drawn from this pass's p, and the window is filled up
 * with fresh guesses: at random, or copies of the token before, or of the one above in an image.
 * What a fresh guess is drawn from is certain, so it is kept with probability p(x). Each pass gives
 * one token at least, and the tokens are distributed as without guesses. Greedily, a guess is kept
 * if it is the most probable token: the result is Jacobi's fixed point, the greedy text.
 */
public final class JacobiDecoding extends Drafting {
  /** How fresh guesses are made. */
  public enum Start {
    /** Any token of the vocabulary. */
    RANDOM,
    /** The token, or the guess, before: the left neighbour in an image. */
    PREVIOUS,
    /** The token, or the guess, one row before: the upper neighbour in an image. */
    ABOVE
  }

  /**
   * Settings.
   *
   * @param window the number of guesses that a pass reads
   * @param start how fresh guesses are made
   * @param row the number of tokens in a row of an image, for {@link Start#ABOVE}
   */
  public record Settings(int window, Start start, int row) {
    /** Settings for texts and for images as sequences: fresh guesses are any tokens. */
    public Settings(int window) {
      this(window, Start.RANDOM, 1);
    }

    /** Checks the values. */
    public Settings {
      Checks.atLeast("window", window, 1);
      Checks.notNull("start", start);
      Checks.atLeast("row", row, 1);
    }
  }

  /**
   * A guess.
   *
   * @param id the token
   * @param chances what it was drawn from; null for a fresh guess, of which nothing is known, and
   *     for greedy decoding
   */
  private record Guess(int id, Candidates chances) {
    /** The probability that this guess had before it was made. */
    double probability() {
      return chances == null ? 1 : chances.probability(id);
    }

    /** What is more probable under other probabilities than it was for this guess. */
    Candidates rest(Candidates now) {
      return now.without(
          chances == null
              ? new Candidates(new int[] {id}, new float[1], new double[] {1})
              : chances);
    }
  }

  private final CausalLm model;
  private final Settings settings;

  JacobiDecoding(CausalLm model, Settings settings) {
    super(model);
    this.model = model;
    this.settings = settings;
  }

  @Override
  Rounds begin(Sequence sequence, int capacity) {
    CausalLm.Decoding decoding = model.decode(1, capacity);
    return new Rounds() {
      private List<Guess> window = new ArrayList<>();

      @Override
      public void next(int most) {
        fill(sequence, window, Math.min(settings.window, most));
        window = pass(sequence, decoding, window);
      }

      @Override
      public void close() {
        decoding.close();
      }
    };
  }

  /** Brings the window to a size: leaves guesses out at its end, or adds fresh ones. */
  private void fill(Sequence sequence, List<Guess> window, int size) {
    while (window.size() > size) {
      window.remove(window.size() - 1);
    }
    while (window.size() < size) {
      int back = settings.start == Start.ABOVE ? settings.row : 1;
      int at = window.size() - back;
      int id =
          settings.start == Start.RANDOM
              ? sequence.random().nextInt(model.config().vocab())
              : at >= 0 ? window.get(at).id : sequence.at(Math.max(0, sequence.length() + at));
      window.add(new Guess(id, null));
    }
  }

  /**
   * Reads the window, takes the tokens that are certain now, and returns the guesses that are left.
   */
  private List<Guess> pass(Sequence sequence, CausalLm.Decoding decoding, List<Guess> window) {
    int length = sequence.length();
    int unread = length - Math.toIntExact(decoding.length());
    List<Guess> next = new ArrayList<>();
    int right = 0;
    try (Scope scope = Scope.open()) {
      long[] ids = new long[unread + window.size()];
      for (int i = 0; i < ids.length; i++) {
        ids[i] = i < unread ? sequence.at(length - unread + i) : window.get(i - unread).id;
      }
      Tensor scores = decoding.all(Tensor.of(ids, 1, ids.length)).squeeze(0);
      int place = 0;
      boolean certain = true;
      while (certain && place < window.size() && sequence.isOpen()) {
        float[] logits = scores.select(0, unread - 1L + place).toFloats();
        certain = decide(sequence, logits, window.get(place));
        right += certain ? 1 : 0;
        place++;
      }
      if (certain && sequence.isOpen()) { // all are kept, and one more is known
        float[] logits = scores.select(0, unread - 1L + place).toFloats();
        sequence.take(sequence.sampler().next(logits, sequence.seen(), sequence.random()));
      }
      BitSet seen = (BitSet) sequence.seen().clone();
      for (; place < window.size() && sequence.isOpen(); place++) {
        Guess guess = guess(sequence, scores.select(0, unread - 1L + place).toFloats(), seen);
        seen.set(guess.id);
        next.add(guess);
      }
    }
    count(window.size(), right);
    decoding.truncate(Math.max(length, sequence.length() - 1L));
    return next;
  }

  /** Takes the token at a place: the guess, or another; whether it is the guess. */
  private boolean decide(Sequence sequence, float[] logits, Guess guess) {
    int id;
    if (sequence.sampler().isGreedy()) {
      id = sequence.sampler().next(logits, sequence.seen(), null);
    } else {
      Candidates now = sequence.sampler().candidates(logits, sequence.seen());
      boolean keep =
          sequence.random().nextDouble() * guess.probability() < now.probability(guess.id);
      id = keep ? guess.id : guess.rest(now).draw(sequence.random());
    }
    sequence.take(id);
    return id == guess.id;
  }

  private static Guess guess(Sequence sequence, float[] logits, BitSet seen) {
    if (sequence.sampler().isGreedy()) {
      return new Guess(sequence.sampler().next(logits, seen, null), null);
    }
    Candidates chances = sequence.sampler().candidates(logits, seen);
    return new Guess(chances.draw(sequence.random()), chances);
  }
}
