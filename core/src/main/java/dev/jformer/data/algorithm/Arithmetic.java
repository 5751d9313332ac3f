package dev.jformer.data.algorithm;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * Arithmetic in the formats of <a href="https://arxiv.org/abs/2307.03381">Teaching Arithmetic to
 * Small Transformers</a>, character by character as published.
 *
 * <p>Balanced sampling, for addition: one number in a hundred has one digit at most, nine in a
 * hundred have two at most, and the others have any number of digits with each number of carries
 * equally often. (The authors' files of 10,000 lines have all 100 sums of one digit, 900 of two and
 * balanced carries for the rest.)
 *
 * @param operation what is computed
 * @param format how it is written
 * @param digits the most digits of an operand, 1 to 9
 * @param balanced whether short numbers and all numbers of carries are drawn as often as said above
 */
@AutoService(Problem.class)
public record Arithmetic(
    ArithmeticOperation operation, ArithmeticFormat format, int digits, boolean balanced)
    implements Problem {
  /** Defaults: balanced additions of three digits, plain. */
  public Arithmetic() {
    this(ArithmeticOperation.ADD, ArithmeticFormat.PLAIN, 3, true);
  }

  /** Checks the values. */
  public Arithmetic {
    Checks.notNull("operation", operation);
    Checks.notNull("format", format);
    Checks.between("digits", digits, 1, operation == ArithmeticOperation.MULTIPLY ? 4 : 9);
    Checks.check(
        operation == ArithmeticOperation.ADD || !format.hasScratchpad(),
        "format",
        format,
        "plain or reverse for " + operation + ": scratchpads are for additions");
  }

  @Override
  public String type() {
    return "arithmetic";
  }

  @Override
  public List<String> symbols() {
    return Symbols.ofCharacters(format.characters() + operation.symbol() + "-0123456789");
  }

  @Override
  public Example draw(RandomGenerator random) {
    int limit = power(digits);
    if (!balanced || operation != ArithmeticOperation.ADD) {
      return of(random.nextInt(limit), random.nextInt(limit));
    }
    double share = random.nextDouble();
    if (share < 0.01 || digits == 1) {
      return of(random.nextInt(10), random.nextInt(10));
    }
    if (share < 0.1 && digits > 2) {
      return of(random.nextInt(100), random.nextInt(100));
    }
    int carries = random.nextInt(digits + 1);
    while (true) {
      int a = random.nextInt(limit);
      int b = random.nextInt(limit);
      if (carries(a, b) == carries) {
        return of(a, b);
      }
    }
  }

  /** The example of two operands. */
  Example of(int a, int b) {
    String question = a + operation.symbol() + b;
    return Example.ofCharacters(
        format.prompt(question),
        format.answer(a, b, operation.of(a, b)),
        Map.of("digits", Math.max(length(a), length(b)), "carries", carries(a, b)));
  }

  /** The number of carries when two numbers are added. */
  static int carries(int a, int b) {
    int carries = 0;
    int carry = 0;
    while (a > 0 || b > 0) {
      carry = a % 10 + b % 10 + carry > 9 ? 1 : 0;
      carries += carry;
      a /= 10;
      b /= 10;
    }
    return carries;
  }

  private static int length(int number) {
    return Integer.toString(number).length();
  }

  private static int power(int digits) {
    int power = 1;
    for (int i = 0; i < digits; i++) {
      power *= 10;
    }
    return power;
  }

  @Override
  public int mostSymbols() {
    int most = power(digits) - 1;
    String question = most + operation.symbol() + most;
    long longest = operation == ArithmeticOperation.SUBTRACT ? -most : operation.of(most, most);
    String answer = format.answer(most, most, longest);
    return format.prompt(question).length() + answer.length() + END.length();
  }

  @Override
  public boolean isComplete(List<String> answer) {
    return format.isComplete(String.join("", answer));
  }

  @Override
  public List<String> result(List<String> answer) {
    return format.hasScratchpad() ? Symbols.afterLast(answer, END) : answer;
  }
}
