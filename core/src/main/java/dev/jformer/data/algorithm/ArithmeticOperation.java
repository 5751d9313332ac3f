package dev.jformer.data.algorithm;

/** What is computed of two numbers. */
public enum ArithmeticOperation {
  /** Their sum. */
  ADD("+"),
  /** The first less the second. */
  SUBTRACT("-"),
  /** Their product. */
  MULTIPLY("*");

  private final String symbol;

  ArithmeticOperation(String symbol) {
    this.symbol = symbol;
  }

  String symbol() {
    return symbol;
  }

  long of(long a, long b) {
    return switch (this) {
      case ADD -> a + b;
      case SUBTRACT -> a - b;
      case MULTIPLY -> a * b;
    };
  }
}
