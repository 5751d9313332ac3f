package dev.jformer.data.decision;

import dev.jformer.config.Checks;
import java.util.SplittableRandom;

/**
 * An endless source of interactions of one policy, the behaviour, whose every action is labelled by
 * what another one, the expert, would do after the same history, as in <a
 * href="https://arxiv.org/abs/2310.08566">Transformers as Decision Makers: Provable In-Context
 * Reinforcement Learning via Supervised Pretraining</a>. If both are the same, a model of the
 * labels distils the policy; if the expert is {@link BestPolicy}, it is decision-pretrained. A
 * batch depends on the seed and its number only.
 *
 * @param problem draws the environments
 * @param behaviour acts
 * @param expert labels; if it equals the behaviour, labels are the actions themselves
 * @param shuffled whether labels are exchanged between the interactions of a batch, at random at
 *     each step: a control, from which only how frequent actions are can be learned
 * @param batch interactions in a batch
 * @param seed draws all that is random
 * @param <E> the kind of the environments
 */
public record InteractionSource<E extends Environment>(
    DecisionProblem<E> problem,
    Policy<E> behaviour,
    Policy<E> expert,
    boolean shuffled,
    int batch,
    long seed) {
  /** The stream of what is evaluated on; batches count from 0. */
  private static final long HELD_OUT = -1;

  /** Checks the values. */
  public InteractionSource {
    Checks.notNull("problem", problem);
    Checks.notNull("behaviour", behaviour);
    Checks.notNull("expert", expert);
    Checks.atLeast("batch", batch, 1);
  }

  /** A batch to train on. */
  public Interactions training(long index) {
    Checks.atLeast("index", index, 0);
    return draw(batch, random(index));
  }

  /** Interactions to evaluate on. */
  public Interactions heldOut(int count) {
    Checks.atLeast("count", count, 1);
    return draw(count, random(HELD_OUT));
  }

  private SplittableRandom random(long stream) {
    long ofSeed = new SplittableRandom(seed).nextLong();
    return new SplittableRandom(31 * ofSeed + new SplittableRandom(stream).nextLong());
  }

  private Interactions draw(int count, SplittableRandom random) {
    Interactions drawn = Interactions.of(count, problem);
    for (int row = 0; row < count; row++) {
      interact(drawn, row, random);
    }
    if (shuffled) {
      shuffle(drawn, random);
    }
    return drawn;
  }

  private void interact(Interactions drawn, int row, SplittableRandom random) {
    E environment = problem.draw(random);
    Policy.Run acting = behaviour.start(environment);
    Policy.Run labelling = expert.equals(behaviour) ? null : expert.start(environment);
    for (int t = 0; t < problem.steps(); t++) {
      int place = row * problem.steps() + t;
      environment.observe(drawn.observations(), place * problem.observations());
      int action = acting.choose(random);
      drawn.labels()[place] = labelling == null ? action : labelling.choose(random);
      drawn.actions()[place] = action;
      drawn.regrets()[place] = environment.regret(action);
      int outcome = place * (problem.descriptions() + 1);
      environment.describe(action, drawn.outcomes(), outcome);
      double reward = environment.act(action, random);
      drawn.outcomes()[outcome + problem.descriptions()] = (float) reward;
      acting.learn(action, reward);
      if (labelling != null) {
        labelling.learn(action, reward);
      }
    }
  }

  private static void shuffle(Interactions drawn, SplittableRandom random) {
    long[] labels = drawn.labels();
    for (int t = 0; t < drawn.steps(); t++) {
      for (int row = drawn.count() - 1; row > 0; row--) {
        int place = row * drawn.steps() + t;
        int other = random.nextInt(row + 1) * drawn.steps() + t;
        long swap = labels[place];
        labels[place] = labels[other];
        labels[other] = swap;
      }
    }
  }
}
