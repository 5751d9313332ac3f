package dev.jformer.train;

import dev.jformer.config.Checks;
import dev.jformer.data.decision.DecisionProblem;
import dev.jformer.data.decision.Environment;
import dev.jformer.data.decision.Policy;
import dev.jformer.model.DecisionModel;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The cumulative regret of who acts in environments, by the number of actions. All who are given
 * the same seed act in the same environments.
 *
 * @param name of the policy or model
 * @param regrets the mean expected return lost by 1, 2, … actions
 * @param totals what was lost by all actions in each environment
 */
public record RegretCurve(String name, List<Double> regrets, List<Double> totals) {
  /** What a model is called. */
  public static final String MODEL = "model";

  /** Environments in which a model acts at once. */
  private static final int ROWS = 256;

  /** Checks the values. */
  public RegretCurve {
    regrets = List.copyOf(regrets);
    totals = List.copyOf(totals);
  }

  /** How a model makes an action of its predictions. */
  public enum Choice {
    /** Drawn by its probability. */
    SAMPLED,
    /** The most probable one. */
    LARGEST
  }

  /** An environment, and the generator of all that is random in it. */
  private record Place(Environment environment, SplittableRandom random) {}

  private static <E extends Environment> E draw(DecisionProblem<E> problem, long seed, int row) {
    return problem.draw(random(seed, 2L * row));
  }

  private static SplittableRandom random(long seed, long stream) {
    long ofSeed = new SplittableRandom(seed).nextLong();
    return new SplittableRandom(31 * ofSeed + new SplittableRandom(stream).nextLong());
  }

  /**
   * Lets a policy act.
   *
   * @param count number of environments
   * @param seed draws them
   */
  public static <E extends Environment> RegretCurve of(
      DecisionProblem<E> problem, Policy<E> policy, int count, long seed) {
    Checks.atLeast("count", count, 1);
    double[][] lost = new double[count][problem.steps()];
    for (int row = 0; row < count; row++) {
      E environment = draw(problem, seed, row);
      SplittableRandom random = random(seed, 2L * row + 1);
      Policy.Run run = policy.start(environment);
      for (int t = 0; t < problem.steps(); t++) {
        int action = run.choose(random);
        lost[row][t] = environment.regret(action);
        run.learn(action, environment.act(action, random));
      }
    }
    return of(policy.name(), lost);
  }

  /**
   * Lets a model act, in many environments at once; what it has read is kept and not read again.
   * The model is left in the mode in which it is.
   *
   * @param count number of environments
   * @param seed draws them
   * @throws dev.jformer.data.DataException if the model does not fit the problem
   */
  public static RegretCurve of(
      DecisionProblem<?> problem, DecisionModel model, Choice choice, int count, long seed) {
    Checks.atLeast("count", count, 1);
    DecisionLearning.checkFits(model, problem);
    double[][] lost = new double[count][problem.steps()];
    for (int first = 0; first < count; first += ROWS) {
      List<Place> places = new ArrayList<>();
      for (int row = first; row < Math.min(count, first + ROWS); row++) {
        places.add(new Place(draw(problem, seed, row), random(seed, 2L * row + 1)));
      }
      act(problem, model, choice, places, Arrays.copyOfRange(lost, first, first + places.size()));
    }
    return of(MODEL, lost);
  }

  private static void act(
      DecisionProblem<?> problem,
      DecisionModel model,
      Choice choice,
      List<Place> places,
      double[][] lost) {
    int rows = places.size();
    float[] seen = new float[rows * problem.observations()];
    long[] actions = new long[rows];
    int known = problem.descriptions() + 1;
    float[] outcomes = new float[rows * known];
    try (DecisionModel.Acting acting = model.act(rows)) {
      for (int t = 0; t < problem.steps(); t++) {
        for (int row = 0; row < rows; row++) {
          places.get(row).environment.observe(seen, row * problem.observations());
        }
        double[] probabilities = probabilities(acting, t > 0, seen, actions, outcomes);
        for (int row = 0; row < rows; row++) {
          Place place = places.get(row);
          int from = row * problem.actions();
          int action = chosen(probabilities, from, problem.actions(), choice, place.random);
          actions[row] = action;
          lost[row][t] = place.environment.regret(action);
          place.environment.describe(action, outcomes, row * known);
          outcomes[row * known + known - 1] = (float) place.environment.act(action, place.random);
        }
      }
    }
  }

  private static double[] probabilities(
      DecisionModel.Acting acting, boolean acted, float[] seen, long[] actions, float[] outcomes) {
    int rows = actions.length;
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor logits =
          acting.next(
              Tensor.of(seen, rows, seen.length / rows),
              acted ? Tensor.of(actions, rows) : null,
              acted ? Tensor.of(outcomes, rows, outcomes.length / rows) : null);
      return logits.to(DType.FLOAT64).softmax(1).contiguous().toDoubles();
    }
  }

  private static int chosen(
      double[] probabilities, int from, int count, Choice choice, SplittableRandom random) {
    int found = 0;
    if (choice == Choice.LARGEST) {
      for (int i = 1; i < count; i++) {
        found = probabilities[from + i] > probabilities[from + found] ? i : found;
      }
      return found;
    }
    double drawn = random.nextDouble();
    while (found < count - 1 && drawn >= probabilities[from + found]) {
      drawn -= probabilities[from + found++];
    }
    return found;
  }

  private static RegretCurve of(String name, double[][] lost) {
    int steps = lost[0].length;
    double[] sums = new double[steps];
    List<Double> totals = new ArrayList<>();
    for (double[] each : lost) {
      double total = 0;
      for (int t = 0; t < steps; t++) {
        total += each[t];
        sums[t] += total / lost.length;
      }
      totals.add(total);
    }
    return new RegretCurve(name, Arrays.stream(sums).boxed().toList(), totals);
  }

  /** The mean expected return lost by all actions. */
  public double total() {
    return regrets.get(regrets.size() - 1);
  }
}
