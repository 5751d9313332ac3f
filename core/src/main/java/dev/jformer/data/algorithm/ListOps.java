package dev.jformer.data.algorithm;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.data.DataException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * The ListOps task: classify a nested list expression by its result, for example {@code [MAX 2 9
 * [MIN 4 7 ] 0 ]} by 9. Operands and results are digits; the operations are minimum, maximum,
 * median (rounded down) and sum modulo 10. It needs dependencies over long distances. Papers: <a
 * href="https://arxiv.org/abs/1804.06028">ListOps: A Diagnostic Dataset for Latent Tree
 * Learning</a>; with these four operations in <a href="https://arxiv.org/abs/2011.04006">Long Range
 * Arena</a>, whose expressions have 500 to 2,000 symbols, and a depth and operands of up to 10.
 *
 * @param shortest fewest symbols of an expression; shorter ones are drawn again
 * @param longest most symbols of an expression
 * @param depth most lists within lists, the outermost included
 * @param operands most operands of a list, at least 2
 */
@AutoService(Problem.class)
public record ListOps(int shortest, int longest, int depth, int operands) implements Classified {
  private static final int RESULTS = 10;
  private static final String CLOSE = "]";

  /** The share of operands that are lists, where depth and length allow it. */
  private static final double NESTED = 0.4;

  /** Draws in vain before lists are taken to be too short. */
  private static final int PATIENCE = 100_000;

  private enum Operation {
    MIN("[MIN"),
    MAX("[MAX"),
    MEDIAN("[MED"),
    SUM("[SM");

    private final String symbol;

    Operation(String symbol) {
      this.symbol = symbol;
    }

    int of(int[] operands) {
      int[] sorted = operands.clone();
      Arrays.sort(sorted);
      int n = sorted.length;
      return switch (this) {
        case MIN -> sorted[0];
        case MAX -> sorted[n - 1];
        case MEDIAN -> (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
        case SUM -> Arrays.stream(sorted).sum() % RESULTS;
      };
    }
  }

  /** Defaults: up to 256 symbols. */
  public ListOps() {
    this(0, 256, 5, 5);
  }

  /** Checks the values. */
  public ListOps {
    Checks.between("depth", depth, 1, 1000);
    Checks.between("operands", operands, 2, 100);
    Checks.between("longest", longest, 2 + operands, 100_000);
    Checks.between("shortest", shortest, 0, longest);
    Checks.check(
        depth > 1 || shortest <= 2 + operands,
        "shortest",
        shortest,
        "at most 2 + operands for a depth of 1");
  }

  @Override
  public String type() {
    return "list-ops";
  }

  @Override
  public String separator() {
    return " ";
  }

  @Override
  public List<String> tokens() {
    List<String> operations = Arrays.stream(Operation.values()).map(o -> o.symbol).toList();
    return Symbols.join(classes(), operations, List.of(CLOSE));
  }

  @Override
  public List<String> classes() {
    return Symbols.numbers(0, RESULTS);
  }

  @Override
  public Example draw(RandomGenerator random) {
    for (int inVain = 0; inVain < PATIENCE; inVain++) {
      Writer writer = new Writer(random);
      int result = writer.list(1, longest);
      if (writer.symbols.size() >= shortest) {
        return new Example(
            writer.symbols,
            List.of(Integer.toString(result)),
            Map.of("depth", writer.deepest, "length", writer.symbols.size()));
      }
    }
    throw new DataException(
        "of "
            + PATIENCE
            + " expressions none had "
            + shortest
            + " symbols: lower shortest, or raise depth or operands");
  }

  private final class Writer {
    private final RandomGenerator random;
    private final List<String> symbols = new ArrayList<>();
    private int deepest;

    Writer(RandomGenerator random) {
      this.random = random;
    }

    /** Writes a list of at most {@code room} symbols, and returns its result. */
    int list(int level, int room) {
      deepest = Math.max(deepest, level);
      Operation[] operations = Operation.values();
      Operation operation = operations[random.nextInt(operations.length)];
      int limit = symbols.size() + room;
      symbols.add(operation.symbol);
      int[] values = new int[random.nextInt(2, operands + 1)];
      for (int i = 0; i < values.length; i++) {
        // Room for this operand, if each later one is a digit and the end follows.
        int left = limit - symbols.size() - (values.length - 1 - i) - 1;
        if (level < depth && left >= 2 + operands && random.nextDouble() < NESTED) {
          values[i] = list(level + 1, left);
        } else {
          values[i] = random.nextInt(RESULTS);
          symbols.add(Integer.toString(values[i]));
        }
      }
      symbols.add(CLOSE);
      return operation.of(values);
    }
  }
}
