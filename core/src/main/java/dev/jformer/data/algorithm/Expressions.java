package dev.jformer.data.algorithm;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * Expressions of numbers modulo a prime, as in <a href="https://arxiv.org/abs/2305.15408">Towards
 * Revealing the Mystery behind Chain of Thought: A Theoretical Perspective</a>. An expression grows
 * from its value: again and again a number is replaced by two with an operation between, in
 * brackets where they are needed. A derivation is that history backwards.
 *
 * @param operations number of operations
 * @param modulus a prime
 * @param derivation whether the answer has all steps, or the value only
 */
@AutoService(Problem.class)
public record Expressions(int operations, int modulus, boolean derivation) implements Problem {
  private static final String EQUALS = "=";
  private static final List<String> SIGNS = List.of("+", "-", "*", "/");

  /** Defaults: four operations modulo 11, with derivations. */
  public Expressions() {
    this(4, 11, true);
  }

  /** Checks the values. */
  public Expressions {
    Checks.between("operations", operations, 1, 50);
    new Modulus(modulus);
  }

  @Override
  public String type() {
    return "expressions";
  }

  @Override
  public String separator() {
    return " ";
  }

  @Override
  public List<String> symbols() {
    return Symbols.join(List.of(END, EQUALS, "(", ")"), SIGNS, Symbols.numbers(0, modulus));
  }

  @Override
  public Example draw(RandomGenerator random) {
    Modulus numbers = new Modulus(modulus);
    List<String> expression = new ArrayList<>();
    expression.add(Integer.toString(random.nextInt(modulus)));
    List<List<String>> history = new ArrayList<>();
    for (int i = 0; i < operations; i++) {
      history.add(List.copyOf(expression));
      grow(expression, numbers, random);
    }
    List<String> answer = new ArrayList<>();
    for (int i = derivation ? operations - 1 : 0; i >= 0; i--) {
      answer.addAll(history.get(i));
      answer.addAll(i > 0 ? List.of(EQUALS) : List.of());
    }
    expression.add(EQUALS);
    return new Example(expression, answer, Map.of("operations", operations));
  }

  /** Replaces a number of an expression by two that give it. */
  private void grow(List<String> expression, Modulus numbers, RandomGenerator random) {
    int at;
    do {
      at = random.nextInt(expression.size());
    } while (!Character.isDigit(expression.get(at).charAt(0)));
    List<String> pair = pair(Integer.parseInt(expression.get(at)), numbers, random);
    String before = at > 0 ? expression.get(at - 1) : "";
    String after = at + 1 < expression.size() ? expression.get(at + 1) : "";
    boolean isSum = pair.get(1).equals("+") || pair.get(1).equals("-");
    boolean bound =
        before.equals("*") || before.equals("-") || after.equals("*") || after.equals("/");
    expression.remove(at);
    if (before.equals("/") || (isSum && bound)) {
      pair = Symbols.join(List.of("("), pair, List.of(")"));
    }
    expression.addAll(at, pair);
  }

  /** Two numbers and the operation that gives {@code value}; every operation is tried as often. */
  private List<String> pair(int value, Modulus numbers, RandomGenerator random) {
    while (true) {
      int first = random.nextInt(modulus);
      String sign = SIGNS.get(random.nextInt(SIGNS.size()));
      int second = second(value, first, sign, numbers, random);
      if (second >= 0) {
        return List.of(Integer.toString(first), sign, Integer.toString(second));
      }
    }
  }

  /** The second number; -1 if there is none. */
  private int second(int value, int first, String sign, Modulus numbers, RandomGenerator random) {
    boolean isFree = value == 0 && first == 0;
    return switch (sign) {
      case "+" -> numbers.minus(value, first);
      case "-" -> numbers.minus(first, value);
      case "*" -> isFree ? random.nextInt(modulus) : first == 0 ? -1 : numbers.over(value, first);
      default ->
          isFree
              ? 1 + random.nextInt(modulus - 1)
              : value == 0 || first == 0 ? -1 : numbers.over(first, value);
    };
  }

  @Override
  public int mostSymbols() {
    int prompt = longest(operations) + 1;
    int answer = 0;
    for (int i = derivation ? operations - 1 : 0; i >= 0; i--) {
      answer += longest(i) + 1; // what follows it, or the end
    }
    return prompt + answer;
  }

  /** Each operation adds a sign and a number, and at most two brackets. */
  private static int longest(int operations) {
    return 4 * operations + 1;
  }

  @Override
  public List<String> result(List<String> answer) {
    return Symbols.afterLast(answer, EQUALS);
  }
}
