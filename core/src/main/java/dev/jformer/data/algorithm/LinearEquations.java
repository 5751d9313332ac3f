package dev.jformer.data.algorithm;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * Systems of as many linear equations as unknowns modulo a prime, with one solution, as in <a
 * href="https://arxiv.org/abs/2305.15408">Towards Revealing the Mystery behind Chain of Thought: A
 * Theoretical Perspective</a>. A derivation is Gauss-Jordan elimination, a system for each unknown.
 *
 * @param unknowns number of unknowns, 1 to 5
 * @param modulus a prime
 * @param derivation whether the answer has all steps, or the solution only
 */
@AutoService(Problem.class)
public record LinearEquations(int unknowns, int modulus, boolean derivation) implements Problem {
  private static final String NEXT = "<sep>";
  private static final List<String> NAMES = List.of("a", "b", "c", "d", "e");

  /** Defaults: three unknowns modulo 11, with derivations. */
  public LinearEquations() {
    this(3, 11, true);
  }

  /** Checks the values. */
  public LinearEquations {
    Checks.between("unknowns", unknowns, 1, NAMES.size());
    new Modulus(modulus);
  }

  @Override
  public String type() {
    return "linear-equations";
  }

  @Override
  public String separator() {
    return " ";
  }

  @Override
  public List<String> symbols() {
    return Symbols.join(
        List.of(END, NEXT, "+", "=", ","), NAMES.subList(0, unknowns), Symbols.numbers(0, modulus));
  }

  @Override
  public Example draw(RandomGenerator random) {
    Modulus numbers = new Modulus(modulus);
    while (true) {
      int[][] system = new int[unknowns][unknowns + 1];
      for (int[] row : system) {
        for (int i = 0; i < row.length; i++) {
          row[i] = random.nextInt(modulus);
        }
      }
      List<String> prompt = new ArrayList<>(write(system, 0));
      prompt.add(NEXT);
      List<String> answer = solve(system, numbers);
      if (answer != null) {
        return new Example(prompt, answer, Map.of("unknowns", unknowns));
      }
    }
  }

  /** The answer; null if there is not one solution alone. */
  private List<String> solve(int[][] system, Modulus numbers) {
    List<String> answer = new ArrayList<>();
    for (int step = 0; step < unknowns; step++) {
      int pivot = step;
      while (pivot < unknowns && system[pivot][step] == 0) {
        pivot++;
      }
      if (pivot == unknowns) {
        return null;
      }
      int[] row = system[pivot];
      system[pivot] = system[step];
      system[step] = row;
      int divisor = row[step];
      for (int i = 0; i <= unknowns; i++) {
        row[i] = numbers.over(row[i], divisor);
      }
      for (int other = 0; other < unknowns; other++) {
        int factor = system[other][step];
        for (int i = 0; other != step && i <= unknowns; i++) {
          system[other][i] = numbers.minus(system[other][i], numbers.times(factor, row[i]));
        }
      }
      if (derivation || step == unknowns - 1) {
        answer.addAll(write(system, step + 1));
        answer.addAll(step < unknowns - 1 ? List.of(NEXT) : List.of());
      }
    }
    return answer;
  }

  /** Writes a system; coefficients 0 and 1 of unknowns that are solved for stay unsaid. */
  private static List<String> write(int[][] system, int solved) {
    List<String> symbols = new ArrayList<>();
    for (int[] row : system) {
      if (!symbols.isEmpty()) {
        symbols.add(",");
      }
      boolean first = true;
      for (int i = 0; i < row.length - 1; i++) {
        if (i >= solved || row[i] != 0) {
          symbols.addAll(first ? List.of() : List.of("+"));
          symbols.addAll(i < solved && row[i] == 1 ? List.of() : List.of(Integer.toString(row[i])));
          symbols.add(NAMES.get(i));
          first = false;
        }
      }
      symbols.add("=");
      symbols.add(Integer.toString(row[row.length - 1]));
    }
    return symbols;
  }

  @Override
  public int mostSymbols() {
    int system = unknowns * (3 * unknowns + 2); // with a comma, or what follows the system
    return derivation ? (unknowns + 1) * system : system + 4 * unknowns;
  }

  @Override
  public List<String> result(List<String> answer) {
    return Symbols.afterLast(answer, NEXT);
  }
}
