package dev.jformer.model;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.config.Flat;
import dev.jformer.nn.Embedding;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Slot;
import dev.jformer.nn.TokenSubset;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * A causal stack that reads observations, actions and rewards, and predicts each action from its
 * observation and all that was before, as in <a
 * href="https://arxiv.org/abs/2310.08566">Transformers as Decision Makers: Provable In-Context
 * Reinforcement Learning via Supervised Pretraining</a>. Each step is two tokens: the observation,
 * where the action is predicted, and the action with what describes it and its reward. Any token
 * mixer serves.
 */
public final class DecisionModel extends Model {
  /**
   * Configuration.
   *
   * @param observations o, the numbers of an observation
   * @param actions A, the number of actions
   * @param descriptions k, the numbers that describe an action beside its index
   * @param steps the most steps of an interaction; the stack reads two tokens for each
   * @param stack the blocks
   */
  @AutoService(Model.Config.class)
  @RecordBuilder
  public record Config(
      int observations, int actions, int descriptions, int steps, @Flat StackConfig stack)
      implements Model.Config, HasStack<Config>, DecisionModelConfigBuilder.With {
    /** Defaults: the sizes of the paper's linear bandits. */
    public Config() {
      this(50, 10, 5, 200, new StackConfig());
    }

    /** Checks the values. */
    public Config {
      Checks.atLeast("observations", observations, 1);
      Checks.atLeast("actions", actions, 2);
      Checks.between("descriptions", descriptions, 0, Integer.MAX_VALUE - 1);
      Checks.between("steps", steps, 1, Integer.MAX_VALUE / 2);
    }

    @Override
    public String type() {
      return "decisions";
    }

    @Override
    public DecisionModel build() {
      return new DecisionModel(this);
    }

    @Override
    public Config withStack(StackConfig stack) {
      return DecisionModelConfigBuilder.With.super.withStack(stack);
    }
  }

  private final Config config;
  private final Slot<Layer> observation;
  private final Slot<Layer> action;
  private final Slot<Layer> outcome;
  private final Slot<TransformerStack<Block>> stack;
  private final Slot<Layer> head;

  /** Creates a model with random weights. */
  public DecisionModel(Config config) {
    this.config = config;
    int width = config.width();
    Initializer fanIn = Initializer.uniformFanIn();
    this.observation =
        child("observation", Layer.class, new Linear(config.observations(), width, true, fanIn));
    this.action =
        child(
            "action",
            Layer.class,
            new Embedding(config.actions(), width, Initializer.normal(1 / Math.sqrt(width))));
    this.outcome =
        child("outcome", Layer.class, new Linear(config.descriptions() + 1L, width, true, fanIn));
    this.stack =
        unnamedChild(
            TransformerStack.class,
            TransformerStack.of(
                config.stack(), new TransformerStack.Setting(2 * config.steps()).withCausal(true)));
    Initializer normal = Initializer.normal(config.init().deviation());
    this.head = child("head", Layer.class, new Linear(width, config.actions(), true, normal));
  }

  @Override
  public Config config() {
    return config;
  }

  /** The most steps that it can read. */
  public long longest() {
    return stack.get().longest() / 2;
  }

  private Tensor done(Tensor actions, Tensor outcomes) {
    return action.get().forward(actions).add(outcome.get().forward(outcomes));
  }

  private Tensor predicted(Tensor states) {
    Tensor logits = head.get().forward(states);
    return logits.dtype() == DType.FLOAT64 ? logits : logits.to(DType.FLOAT32);
  }

  /**
   * Computes the logits of every action of interactions.
   *
   * @param observations [B, T, o]
   * @param actions int64 [B, T]
   * @param outcomes [B, T, k + 1], what describes each action, and its reward
   * @return [B, T, A]; those of a step depend on its observation and the steps before
   * @throws IllegalArgumentException if observations have another size, or there are more steps
   *     than the model can read
   */
  public Tensor logits(Tensor observations, Tensor actions, Tensor outcomes) {
    check(observations, observations.size(1));
    Tensor pairs =
        Tensor.stack(2, observation.get().forward(observations), done(actions, outcomes));
    return predicted(stack.get().forwardAt(pairs.flatten(1, 2), TokenSubset.even()));
  }

  private void check(Tensor observations, long steps) {
    if (observations.size(observations.rank() - 1) != config.observations()) {
      throw new IllegalArgumentException(
          "observations have "
              + observations.size(observations.rank() - 1)
              + " numbers, but the model reads "
              + config.observations()
              + ": expected as many");
    }
    if (steps > longest()) {
      throw new IllegalArgumentException(
          "an interaction of "
              + steps
              + " steps is longer than the "
              + longest()
              + " that the model can read: choose position=none or rope for longer ones");
    }
  }

  /**
   * Starts to act in several environments at once; what was read is kept in the mixers' states.
   *
   * @param batch B
   * @throws UnsupportedOperationException if a mixer cannot decode step by step
   */
  public Acting act(long batch) {
    return new Acting(batch);
  }

  /** Environments in which the model acts, after some steps. Not safe for several threads. */
  public final class Acting implements AutoCloseable {
    private final TransformerStack<Block>.Decoding states;
    private long steps;

    private Acting(long batch) {
      this.states = stack.get().decode(batch, 2L * config.steps(), null);
    }

    /**
     * Computes the logits of the next actions.
     *
     * @param observations [B, o]
     * @param actions int64 [B], of the step before; null at the first
     * @param outcomes [B, k + 1], of the step before; null at the first
     * @return [B, A]
     * @throws IllegalArgumentException as {@link DecisionModel#logits}
     */
    public Tensor next(Tensor observations, Tensor actions, Tensor outcomes) {
      Checks.check(
          (actions == null) == (steps == 0),
          "actions",
          actions,
          steps == 0 ? "null at the first step" : "the actions of step " + steps);
      check(observations, steps + 1);
      Tensor seen = observation.get().forward(observations).unsqueeze(1);
      Tensor tokens =
          actions == null ? seen : Tensor.cat(1, done(actions, outcomes).unsqueeze(1), seen);
      Tensor hidden = states.next(tokens, null);
      steps++;
      return predicted(hidden.select(1, tokens.size(1) - 1));
    }

    /** Releases the states. */
    @Override
    public void close() {
      states.close();
    }
  }
}
