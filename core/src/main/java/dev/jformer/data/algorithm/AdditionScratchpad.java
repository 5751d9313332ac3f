package dev.jformer.data.algorithm;

import java.util.Locale;
import java.util.stream.Collectors;

/** Writes additions out, digit by digit from the last. */
final class AdditionScratchpad {
  private AdditionScratchpad() {}

  /** Digits and carries: {@code A->5 , C->1}, a line each, a point, and the sum. */
  static String simple(int a, int b) {
    StringBuilder lines = new StringBuilder();
    int carry = 0;
    int steps = steps(a, b);
    for (int i = 0, x = a, y = b; i < steps; i++, x /= 10, y /= 10) {
      int sum = x % 10 + y % 10 + carry;
      carry = sum / 10;
      lines.append(i == 0 ? "" : "\n").append("A->").append(sum % 10).append(" , C->");
      lines.append(carry);
    }
    return lines + ".\n" + (a + b);
  }

  /** The operands' lengths, a line for each step with what is left, and the sum's digits. */
  static String detailed(int a, int b) {
    StringBuilder lines = new StringBuilder("<scratch>\n");
    String x = Integer.toString(a);
    String y = Integer.toString(b);
    for (String operand : new String[] {x, y}) {
      lines.append(list(operand)).append(" has ").append(operand.length()).append(" digits.\n");
    }
    String done = "";
    int carry = 0;
    for (int steps = steps(a, b); steps > 0; steps--) {
      int first = lastDigit(x);
      int second = lastDigit(y);
      int sum = first + second + carry;
      lines.append(
          String.format(
              Locale.ROOT,
              "%s + %s , A=%s , C=%d , %d+%d+%d=%d , A->%d , C->%d",
              list(x),
              list(y),
              list(done),
              carry,
              first,
              second,
              carry,
              sum,
              sum % 10,
              sum / 10));
      lines.append('\n');
      done = sum % 10 + done;
      carry = sum / 10;
      x = withoutLast(x);
      y = withoutLast(y);
    }
    lines.append("[] + [] , A=").append(list(done)).append(" C=").append(carry);
    return lines + " , END\n</scratch>\n" + spaced(carry == 1 ? "1" + done : done);
  }

  private static int steps(int a, int b) {
    return Math.max(Integer.toString(a).length(), Integer.toString(b).length());
  }

  private static int lastDigit(String digits) {
    return digits.isEmpty() ? 0 : digits.charAt(digits.length() - 1) - '0';
  }

  private static String withoutLast(String digits) {
    return digits.isEmpty() ? digits : digits.substring(0, digits.length() - 1);
  }

  private static String list(String digits) {
    return digits.chars().mapToObj(Character::toString).collect(Collectors.joining(",", "[", "]"));
  }

  private static String spaced(String digits) {
    return String.join(" ", Symbols.characters(digits));
  }
}
