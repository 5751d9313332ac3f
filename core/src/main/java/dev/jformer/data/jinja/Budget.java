package dev.jformer.data.jinja;

/**
 * Bounds the work of rendering, so that a template that never ends or grows without bound ends in
 * an error. Every step costs one unit, and so do four characters or items that are made.
 */
final class Budget {
  private static final long WORK = 1L << 26;
  private static final int LARGEST = 1 << 23;
  private static final int DEEPEST = 200;
  private static final long NANOSECONDS = 4_000_000_000L;
  private static final int STEPS_BETWEEN_LOOKS = 4096;

  private final long start = System.nanoTime();
  private long left = WORK;
  private long nextLook = WORK;
  private int depth;
  private int line = 1;

  /** Counts a step. */
  void step() {
    spend(1);
  }

  /**
   * Counts characters or items that are made.
   *
   * @throws JinjaException if they are too many for one value
   */
  void make(long size) {
    bound(size);
    spend(1 + size / 4);
  }

  /** Checks the number of characters or items of one value. */
  void bound(long size) {
    if (size > LARGEST) {
      throw new JinjaException(
          "it makes a value of " + size + " characters or items: expected at most " + LARGEST);
    }
  }

  /** Counts the search for a part of a text, which may compare each character with each. */
  void search(long text, long part) {
    spend(1 + text * Math.max(1, part) / 16);
  }

  private void spend(long units) {
    left -= units;
    if (left < 0) {
      throw new JinjaException("it takes more than " + WORK + " steps: does a loop never end?");
    }
    if (left < nextLook) {
      nextLook = left - STEPS_BETWEEN_LOOKS;
      if (System.nanoTime() - start > NANOSECONDS) {
        throw new JinjaException(
            "it takes more than " + NANOSECONDS / 1_000_000_000L + " s: does a loop never end?");
      }
    }
  }

  /** Enters a macro. */
  void enter() {
    if (++depth > DEEPEST) {
      throw new JinjaException("its macros call each other more than " + DEEPEST + " deep");
    }
  }

  /** Leaves a macro. */
  void leave() {
    depth--;
  }

  /** Notes the line that is carried out. */
  void at(int newLine) {
    line = newLine;
  }

  int line() {
    return line;
  }
}
