package dev.jformer.data.algorithm;

/**
 * How a calculation is written, as in <a href="https://arxiv.org/abs/2307.03381">Teaching
 * Arithmetic to Small Transformers</a>.
 */
public enum ArithmeticFormat {
  /** {@code 128+367=495}. */
  PLAIN("="),
  /** {@code $128+367=594$}: the result's last digit first. */
  REVERSE("=$"),
  /** Digits and carries from the last to the first, then the result. */
  SIMPLE_SCRATCHPAD("Input:Target\nAC->,. "),
  /** Each step with what is left of the operands and with its sum, then the result. */
  SCRATCHPAD("Input:Target\n<scratch>/[], has digits.A=C+->END ");

  private final String characters;

  ArithmeticFormat(String characters) {
    this.characters = characters;
  }

  /** All characters but digits and the operation's. */
  String characters() {
    return characters;
  }

  boolean hasScratchpad() {
    return this == SIMPLE_SCRATCHPAD || this == SCRATCHPAD;
  }

  /** Whether an end of line after this ends an answer. */
  boolean isComplete(String answer) {
    return switch (this) {
      case PLAIN, REVERSE -> true;
      case SIMPLE_SCRATCHPAD -> answer.contains(".\n");
      case SCRATCHPAD -> answer.contains("</scratch>\n");
    };
  }

  String prompt(String question) {
    return switch (this) {
      case PLAIN -> question + "=";
      case REVERSE -> "$" + question + "=";
      case SIMPLE_SCRATCHPAD, SCRATCHPAD -> "Input:\n" + question + "\nTarget:\n";
    };
  }

  String answer(int a, int b, long result) {
    return switch (this) {
      case PLAIN -> Long.toString(result);
      case REVERSE -> new StringBuilder(Long.toString(result)).reverse() + "$";
      case SIMPLE_SCRATCHPAD -> AdditionScratchpad.simple(a, b);
      case SCRATCHPAD -> AdditionScratchpad.detailed(a, b);
    };
  }
}
