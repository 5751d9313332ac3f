package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.config.Nearest;
import dev.jformer.data.decision.BestPolicy;
import dev.jformer.data.decision.DecisionProblem;
import dev.jformer.data.decision.Environment;
import dev.jformer.data.decision.InteractionSource;
import dev.jformer.data.decision.LinearBandits;
import dev.jformer.data.decision.Policy;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.List;

/**
 * Configuration of interactions with environments, which are made as they are needed.
 *
 * @param problem the environments
 * @param behaviour the name of the policy whose interactions are learned from, such as {@code
 *     LinUCB}; empty for the best one that the problem knows
 * @param labels what is predicted
 * @param heldOut number of interactions to evaluate on
 */
@AutoService(DataConfig.class)
@RecordBuilder
public record DecisionData(DecisionProblem<?> problem, String behaviour, Labels labels, int heldOut)
    implements MadeDataConfig, DecisionDataBuilder.With {
  /** What is predicted at each step of an interaction. */
  public enum Labels {
    /** What the behaviour did: its distillation. */
    ACTIONS,
    /** The best action, which the behaviour does not know: decision pretraining. */
    BEST
  }

  /** Defaults: interactions of 24 steps of LinUCB with linear bandits of 4 arms. */
  public DecisionData() {
    this(new LinearBandits(2, 4, 24, 0.5, LinearBandits.Weights.UNIFORM), "", Labels.ACTIONS, 500);
  }

  /** Checks the values. */
  public DecisionData {
    Checks.notNull("problem", problem);
    Checks.notNull("behaviour", behaviour);
    Checks.notNull("labels", labels);
    Checks.between("heldOut", heldOut, 1, 1_000_000);
    policy(problem, behaviour);
  }

  private static <E extends Environment> Policy<E> policy(DecisionProblem<E> problem, String name) {
    List<String> names = problem.policies().stream().map(Policy::name).toList();
    return problem.policies().stream()
        .filter(policy -> name.isEmpty() || policy.name().equalsIgnoreCase(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "behaviour is '"
                        + name
                        + "'"
                        + Nearest.hint(name, names)
                        + ": expected one of "
                        + String.join(", ", names)));
  }

  /** Interactions by a seed. */
  InteractionSource<?> interactions(int batch, long seed) {
    return interactions(problem, batch, seed);
  }

  private <E extends Environment> InteractionSource<E> interactions(
      DecisionProblem<E> of, int batch, long seed) {
    Policy<E> acting = policy(of, behaviour);
    Policy<E> expert = labels == Labels.BEST ? new BestPolicy<>() : acting;
    return new InteractionSource<>(of, acting, expert, false, batch, seed);
  }

  @Override
  public String type() {
    return "decisions";
  }
}
