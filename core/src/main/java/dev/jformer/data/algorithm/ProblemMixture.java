package dev.jformer.data.algorithm;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * A mixture of problems of one type, such as expressions of several lengths, on which <a
 * href="https://arxiv.org/abs/2305.15408">Towards Revealing the Mystery behind Chain of Thought: A
 * Theoretical Perspective</a> trains models for longer ones: each example is drawn from one of
 * them. Its symbols are those of all problems together, so that a mixture in which one problem has
 * all of the share tests a model on that problem alone.
 *
 * @param problems at least one, all of one type
 * @param shares how often each is drawn, in any unit, not negative; empty for equally often
 */
@AutoService(Problem.class)
public record ProblemMixture(List<Problem> problems, List<Double> shares) implements Problem {
  /** Defaults: expressions with one to three operations, in proportion to that number. */
  public ProblemMixture() {
    this(
        IntStream.rangeClosed(1, 3).<Problem>mapToObj(n -> new Expressions(n, 11, true)).toList(),
        List.of(1.0, 2.0, 3.0));
  }

  /** Checks the values. */
  public ProblemMixture {
    Checks.notNull("problems", problems);
    Checks.notNull("shares", shares);
    Checks.check(!problems.isEmpty(), "problems", problems, "at least one problem");
    problems = List.copyOf(problems);
    shares = List.copyOf(shares);
    Class<?> kind = problems.get(0).getClass();
    for (Problem problem : problems) {
      Checks.check(
          problem.getClass() == kind,
          "problems",
          problems.stream().map(Problem::type).toList(),
          "problems of one type, as their answers are read in one way");
    }
    Checks.check(
        shares.isEmpty() || shares.size() == problems.size(),
        "shares",
        shares,
        "one for each of the " + problems.size() + " problems, or none");
    double sum = 0;
    for (double share : shares) {
      Checks.check(
          share >= 0 && Double.isFinite(share), "shares", shares, "numbers that are not negative");
      sum += share;
    }
    Checks.check(shares.isEmpty() || sum > 0, "shares", shares, "one that is not 0");
  }

  @Override
  public String type() {
    return "mixture";
  }

  @Override
  public String separator() {
    return problems.get(0).separator();
  }

  @Override
  public List<String> symbols() {
    Set<String> all = new LinkedHashSet<>();
    problems.forEach(problem -> all.addAll(problem.symbols()));
    return List.copyOf(all);
  }

  @Override
  public Example draw(RandomGenerator random) {
    return chosen(random).draw(random);
  }

  private Problem chosen(RandomGenerator random) {
    if (shares.isEmpty()) {
      return problems.get(random.nextInt(problems.size()));
    }
    double left = random.nextDouble() * shares.stream().mapToDouble(share -> share).sum();
    Problem last = null;
    for (int i = 0; i < problems.size(); i++) {
      if (shares.get(i) > 0) {
        last = problems.get(i);
        left -= shares.get(i);
        if (left < 0) {
          break;
        }
      }
    }
    return last;
  }

  /** The same mixture of which only one problem is drawn, with the symbols of all. */
  public ProblemMixture only(int problem) {
    return new ProblemMixture(
        problems,
        IntStream.range(0, problems.size()).mapToObj(i -> i == problem ? 1.0 : 0.0).toList());
  }

  @Override
  public int mostSymbols() {
    return problems.stream().mapToInt(Problem::mostSymbols).max().orElseThrow();
  }

  @Override
  public boolean isComplete(List<String> answer) {
    return problems.get(0).isComplete(answer);
  }

  @Override
  public List<String> result(List<String> answer) {
    return problems.get(0).result(answer);
  }
}
