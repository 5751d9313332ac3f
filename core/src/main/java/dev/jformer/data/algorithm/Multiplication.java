package dev.jformer.data.algorithm;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * Products of an n-digit and an m-digit number, digit by digit, as in <a
 * href="https://arxiv.org/abs/2407.15360">Dissecting Multiplication in Transformers: Insights into
 * LLMs</a>. Operands and product are padded with zeros, so that each digit has its place.
 *
 * @param first digits of the first number, 1 to 9
 * @param second digits of the second number, 1 to 9
 * @param reversed whether the product's last digit comes first
 * @param easy share of samples whose digits are all at most 4, where few carries follow each other
 */
@AutoService(Problem.class)
public record Multiplication(int first, int second, boolean reversed, double easy)
    implements Problem {
  /** Defaults: five digits by one, the first digit of the product first. */
  public Multiplication() {
    this(5, 1, false, 0);
  }

  /** Checks the values. */
  public Multiplication {
    Checks.between("first", first, 1, 9);
    Checks.between("second", second, 1, 9);
    Checks.share("easy", easy);
  }

  @Override
  public String type() {
    return "multiplication";
  }

  @Override
  public List<String> symbols() {
    return Symbols.ofCharacters("0123456789*=");
  }

  @Override
  public Example draw(RandomGenerator random) {
    int limit = random.nextDouble() < easy ? 5 : 10;
    return of(digits(first, limit, random), digits(second, limit, random));
  }

  private static int[] digits(int count, int limit, RandomGenerator random) {
    return random.ints(count, 0, limit).toArray();
  }

  /** The example of two operands, first digits first. */
  Example of(int[] a, int[] b) {
    Steps steps = Steps.of(a, b);
    List<String> product = new ArrayList<>(Symbols.of(steps.digits()));
    if (!reversed) {
      Collections.reverse(product);
    }
    List<String> prompt = Symbols.join(Symbols.of(a), List.of("*"), Symbols.of(b), List.of("="));
    return new Example(prompt, product, Map.of("successive carries", steps.longestChain()));
  }

  /**
   * What each digit of an example's product needs, in the order in which the digits are written.
   *
   * @throws IllegalArgumentException if the example is none of this problem
   */
  public List<SubTask> tasks(Example example) {
    List<String> prompt = example.prompt();
    if (prompt.size() != first + second + 2 || !prompt.get(first).equals("*")) {
      throw new IllegalArgumentException(
          "the prompt is "
              + prompt
              + ": expected a product of numbers with "
              + first
              + " and "
              + second
              + " digits");
    }
    List<SubTask> tasks =
        new ArrayList<>(
            Steps.of(
                    numbers(prompt.subList(0, first)),
                    numbers(prompt.subList(first + 1, first + 1 + second)))
                .tasks());
    if (!reversed) {
      Collections.reverse(tasks);
    }
    return List.copyOf(tasks);
  }

  private static int[] numbers(List<String> digits) {
    return digits.stream().mapToInt(Integer::parseInt).toArray();
  }

  @Override
  public int mostSymbols() {
    return 2 * (first + second) + 2 + 1;
  }

  /** What the digit of a product needs. */
  public enum SubTask {
    /** No carry comes in: the product of digits alone. */
    BASE,
    /** A carry comes in that does not depend on one before it. */
    CARRY,
    /** A carry comes in that is only right with the carry before it. */
    SUCCESSIVE_CARRY
  }

  /**
   * The parts of a product.
   *
   * @param digits of the product, the last one first
   * @param tasks what each of them needs
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Steps(int[] digits, List<SubTask> tasks) {
    /**
     * Multiplies two numbers.
     *
     * @param a digits, the first one first
     * @param b likewise
     */
    public static Steps of(int[] a, int[] b) {
      int[] digits = new int[a.length + b.length];
      List<SubTask> tasks = new ArrayList<>();
      int carry = 0;
      int before = 0; // the sum of products of the place before, without its carry
      for (int place = 0; place < digits.length; place++) {
        int sum = 0;
        for (int i = 0; i < a.length; i++) {
          int j = place - i;
          if (j >= 0 && j < b.length) {
            sum += a[a.length - 1 - i] * b[b.length - 1 - j];
          }
        }
        boolean depends = carry != before / 10;
        tasks.add(carry == 0 ? SubTask.BASE : depends ? SubTask.SUCCESSIVE_CARRY : SubTask.CARRY);
        digits[place] = (sum + carry) % 10;
        carry = (sum + carry) / 10;
        before = sum;
      }
      return new Steps(digits, List.copyOf(tasks));
    }

    /** The most successive carries one after the other. */
    int longestChain() {
      int longest = 0;
      int chain = 0;
      for (SubTask task : tasks) {
        chain = task == SubTask.SUCCESSIVE_CARRY ? chain + 1 : 0;
        longest = Math.max(longest, chain);
      }
      return longest;
    }
  }
}
