package dev.jformer.rasp;

import static dev.jformer.rasp.Library.after;
import static dev.jformer.rasp.Library.and;
import static dev.jformer.rasp.Library.at;
import static dev.jformer.rasp.Library.before;
import static dev.jformer.rasp.Library.countOf;
import static dev.jformer.rasp.Library.countTrue;
import static dev.jformer.rasp.Library.first;
import static dev.jformer.rasp.Library.hasSeen;
import static dev.jformer.rasp.Library.is;
import static dev.jformer.rasp.Library.last;
import static dev.jformer.rasp.Library.maximum;
import static dev.jformer.rasp.Library.not;
import static dev.jformer.rasp.Library.or;
import static dev.jformer.rasp.Library.shiftRight;
import static dev.jformer.rasp.Sequence.constant;
import static dev.jformer.rasp.Sequence.positions;
import static dev.jformer.rasp.Sequence.tokens;

/**
 * Programs in RASP-L for the tasks of <a href="https://arxiv.org/abs/2310.16028">What Algorithms
 * can Transformers Learn? A Study in Length Generalization</a>. A prompt ends with {@link #ANSWER},
 * an answer with {@link #END}. Tokens of the alphabet are 0 and greater; index hints, which mark
 * the places of digits, are {@link #FIRST_HINT} and less.
 *
 * <p>Repeated copying and parity without a scratchpad have no program here that is short and fits
 * all lengths: that is the paper's point. Its conjecture is that Transformers learn what works for
 * longer texts where such a program exists.
 */
public final class Programs {
  /** Begins a prompt. */
  public static final int START = -1;

  /** Stands between two operands. */
  public static final int PLUS = -2;

  /** Ends a prompt. */
  public static final int ANSWER = -3;

  /** Ends an answer. */
  public static final int END = -5;

  /** The running parity: even and odd. */
  public static final int EVEN = -10;

  /** The running parity: odd. */
  public static final int ODD = -11;

  /** The hint of the first digit; those of later ones are smaller by one each. */
  public static final int FIRST_HINT = -100;

  private static final int NOTHING = Library.NOTHING;

  private Programs() {}

  /** {@code START a b ANSWER} is continued by {@code a, a + 1, ..., b, END}. */
  public static Program count() {
    Sequence x = tokens();
    Sequence start = last(x, constant(START));
    Sequence from = at(x, start.moved(1), 0);
    Sequence to = at(x, start.moved(2), 0);
    Sequence later = x.compare(Match.EQUAL, to).choose(constant(END), x.map("+ 1", a -> a + 1));
    return new Program("count", is(x, ANSWER).choose(from, later));
  }

  /** {@code START a b c ANSWER}, all different, is continued by {@code a b c END}. */
  public static Program copyUnique() {
    Sequence x = tokens();
    Sequence prompt = prompt(x);
    Sequence source = is(x, ANSWER).choose(constant(START), x);
    Sequence next = at(prompt, first(prompt, source).moved(1), NOTHING);
    return new Program("copy-unique", next.map("none left", a -> a == NOTHING ? END : a));
  }

  /** {@code START b c a ANSWER}, all different, is continued by {@code a b c END}. */
  public static Program sort() {
    Sequence x = tokens();
    Sequence prompt = prompt(x);
    Sequence bound = is(x, ANSWER).choose(constant(-1), x);
    Sequence numbers = prompt.map("no number is last", a -> a < 0 ? Integer.MAX_VALUE : a);
    Sequence next = Sequence.attend(numbers, bound, Match.GREATER, numbers, END, Reduction.MIN);
    return new Program("sort", next.map("none left", a -> a == Integer.MAX_VALUE ? END : a));
  }

  /**
   * {@code START a b a ANSWER} is continued by {@code a END}, the most frequent token; of several,
   * the one that was so frequent first.
   */
  public static Program mostFrequent() {
    Sequence x = tokens();
    Sequence counts = x.map("is number", a -> a >= 0 ? 1 : 0).choose(countOf(x, x), constant(0));
    Sequence mostFrequent = at(x, first(counts, maximum(counts)), END);
    return new Program("mode", is(x, ANSWER).choose(mostFrequent, constant(END)));
  }

  /**
   * {@code START h0 b0 h1 b1 ... ANSWER}, bits after index hints, is continued by the hint of each
   * 1 and the parity so far, {@link #ODD} or {@link #EVEN}; then by {@link #END}. The last parity
   * is the answer. The format is ours: the paper's listing was not at hand.
   */
  public static Program parityWithHints() {
    Sequence x = tokens();
    Sequence inPrompt = not(hasSeen(x, constant(ANSWER)));
    Sequence isOne = and(inPrompt, is(x, 1));
    Sequence ones = isOne.choose(positions(), first(x, constant(NOTHING)));
    // After a hint comes the other parity than the last one; the first is odd.
    Sequence parity = is(shiftRight(x, 1, START), ODD).choose(constant(EVEN), constant(ODD));
    // After a parity comes the hint of the next 1 behind that of the last hint.
    Sequence isAnswer = is(x, ANSWER);
    Sequence from =
        isAnswer.choose(first(x, constant(START)), first(x, shiftRight(x, 1, START)).moved(1));
    Sequence next = Sequence.attend(ones, from, Match.GREATER, positions(), -1, Reduction.MIN);
    Sequence hint = at(x, next.moved(-1), END);
    return new Program(
        "parity-with-hints", x.map("is hint", Programs::isHint).choose(parity, hint));
  }

  /**
   * Adds numbers of equally many digits, each after its index hint: {@code START h0 a0 h1 a1 PLUS
   * h0 b0 h1 b1 ANSWER} is continued by the sum's digits after their hints, the last digit first,
   * then {@link #END}. Leading digits are 0, so that the sum has as many.
   */
  public static Program addReversed() {
    Addition sum = new Addition();
    Sequence x = tokens();
    Sequence carry =
        or(sum.current.map("> 9", a -> a > 9 ? 1 : 0), and(is(sum.current, 9), is(sum.written, 0)));
    Sequence firstHint = before(x, constant(ANSWER), 2);
    Sequence nextHint = shiftRight(x, 1, 0).map("+ 1", a -> a + 1);
    Sequence end = nextHint.map("behind the first", a -> a > FIRST_HINT ? 1 : 0);
    return new Program("add-reversed", sum.next(carry, firstHint, nextHint, end));
  }

  /** As {@link #addReversed}, but the sum's first digit comes first: carries must be foreseen. */
  public static Program add() {
    Addition sum = new Addition();
    Sequence x = tokens();
    Sequence digits = x.map("is digit", a -> a >= 0 ? 1 : 0).choose(sum.pairs, constant(NOTHING));
    Sequence breaks = digits.map("is no nine", a -> a != 9 && a != NOTHING ? 1 : 0);
    Sequence chain = countTrue(breaks);
    // A chain of nines gets a carry if the pair behind it, which ends it, gives one.
    Sequence carries = digits.map("> 9", a -> a > 9 ? 1 : 0);
    Sequence ended = carries.choose(chain.map("- 1", a -> a - 1), constant(NOTHING));
    Sequence chainEnds = first(chain, ended);
    Sequence gotCarry =
        sum.current.zip("last digit differs", sum.written, (a, b) -> a % 10 != b ? 1 : 0);
    Sequence inside = and(is(sum.following, 9), gotCarry);
    Sequence place = first(sum.pairs, x).moved(1);
    Sequence atEnd = Sequence.attend(chainEnds, place, Match.EQUAL, constant(1), 0, Reduction.MEAN);
    Sequence lastHint = before(x, constant(ANSWER), 2);
    Sequence nextHint = shiftRight(x, 1, 0).map("- 1", a -> a - 1);
    Sequence end = nextHint.compare(Match.LESS, lastHint);
    return new Program("add", sum.next(or(inside, atEnd), constant(FIRST_HINT), nextHint, end));
  }

  /** What both directions of addition share. */
  private static final class Addition {
    private final Sequence x = tokens();

    /** Sums of digits at the second operand's places, with its hints between; else nothing. */
    private final Sequence pairs;

    /** The digit written last, if the place holds a hint. */
    private final Sequence written = shiftRight(x, 1, 0);

    /** The pair that the digit came from. */
    private final Sequence current;

    /** The pair of the digit to write next, if the place holds its hint. */
    private final Sequence following;

    Addition() {
      Sequence prompt = not(hasSeen(x, constant(ANSWER))).choose(x, constant(0));
      Sequence other = after(prompt, shiftRight(prompt, 1, 0), 1);
      Sequence sums = x.zip("add digits", other, (a, b) -> a >= 0 ? a + b : a);
      Sequence second = and(hasSeen(x, constant(PLUS)), not(hasSeen(x, constant(ANSWER))));
      pairs = second.choose(sums, constant(NOTHING));
      current = after(pairs, shiftRight(x, 2, 0), 1);
      following = after(pairs, x, 1);
    }

    Sequence next(Sequence carry, Sequence firstHint, Sequence nextHint, Sequence end) {
      Sequence digit = following.zip("add carry", carry, (a, b) -> (a + b) % 10);
      Sequence afterDigit = end.choose(constant(END), nextHint);
      Sequence later = x.map("is hint", Programs::isHint).choose(digit, afterDigit);
      return is(x, ANSWER).choose(firstHint, later);
    }
  }

  /** The tokens before {@link #ANSWER}; nothing from there on. */
  private static Sequence prompt(Sequence x) {
    return not(hasSeen(x, constant(ANSWER))).choose(x, constant(NOTHING));
  }

  private static int isHint(int token) {
    return token <= FIRST_HINT ? 1 : 0;
  }
}
