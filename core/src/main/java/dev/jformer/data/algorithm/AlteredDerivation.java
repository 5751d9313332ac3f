package dev.jformer.data.algorithm;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;

/**
 * A problem whose derivations say nothing, or not in order, to compare with those that do, as in <a
 * href="https://arxiv.org/abs/2305.15408">Towards Revealing the Mystery behind Chain of Thought: A
 * Theoretical Perspective</a>: they give a model as many tokens to compute with, but not the steps.
 * The result, and what stands directly before it, stay as they are.
 *
 * @param problem its answers end with their result
 * @param change what becomes of derivations
 */
@AutoService(Problem.class)
public record AlteredDerivation(Problem problem, Change change) implements Problem {
  private static final String FILLER = "…";

  /** What becomes of a derivation. */
  public enum Change {
    /** Each symbol becomes the same one, without a meaning. */
    FILLER,
    /** The symbols stand in random order; the one before the result stays, to show where it is. */
    SHUFFLED
  }

  /** Defaults: expressions with a filler in place of their steps. */
  public AlteredDerivation() {
    this(new Expressions(), Change.FILLER);
  }

  /** Checks the values. */
  public AlteredDerivation {
    Checks.notNull("problem", problem);
    Checks.notNull("change", change);
  }

  @Override
  public String type() {
    return "altered-derivation";
  }

  @Override
  public String separator() {
    return problem.separator();
  }

  @Override
  public List<String> symbols() {
    return change == Change.FILLER
        ? Symbols.join(problem.symbols(), List.of(FILLER))
        : problem.symbols();
  }

  @Override
  public Example draw(RandomGenerator random) {
    Example example = problem.draw(random);
    List<String> answer = example.answer();
    List<String> result = problem.result(answer);
    int steps = answer.size() - result.size();
    if (steps < 0 || !answer.subList(steps, answer.size()).equals(result)) {
      throw new IllegalArgumentException(
          "answers of the problem '"
              + problem.type()
              + "' do not end with their result: expected a problem whose derivations lead to it");
    }
    List<String> altered = new ArrayList<>(answer.subList(0, steps));
    if (change == Change.FILLER) {
      Collections.fill(altered, FILLER);
    } else if (altered.contains(END)) {
      throw new IllegalArgumentException(
          "derivations of the problem '"
              + problem.type()
              + "' have several lines, which cannot be shuffled: expected change = FILLER");
    } else if (steps > 1) {
      Collections.shuffle(altered.subList(0, steps - 1), new Random(random.nextLong()));
    }
    altered.addAll(result);
    return new Example(example.prompt(), altered, example.traits());
  }

  @Override
  public int mostSymbols() {
    return problem.mostSymbols();
  }

  @Override
  public boolean isComplete(List<String> answer) {
    return change == Change.FILLER || problem.isComplete(answer);
  }

  @Override
  public List<String> result(List<String> answer) {
    return change == Change.FILLER ? Symbols.afterLast(answer, FILLER) : problem.result(answer);
  }
}
