package dev.jformer.ffn.expert;

import com.google.auto.service.AutoService;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Tensor;

/**
 * The Switch Transformer's gate (<a href="https://arxiv.org/abs/2101.03961">Switch Transformers:
 * Scaling to Trillion Parameter Models with Simple and Efficient Sparsity</a>): the expert of the
 * highest probability works on a token, and its output is weighted by that probability. In training
 * an expert takes at most its capacity, a multiple of an equal share of the batch; tokens beyond
 * it, the last of the batch, get no expert. In inference nothing is dropped, so that a text does
 * not depend on others in the batch.
 */
public final class SwitchGate extends Gate {
  /**
   * Configuration.
   *
   * @param capacity of an expert in training, as a multiple of an equal share; 0 for no limit
   * @param balance factor of the loss that balances the load
   * @param jitter in training the gate's inputs are multiplied by noise between 1 - jitter and 1 +
   *     jitter
   */
  @AutoService(Gate.Config.class)
  public record Config(double capacity, double balance, double jitter) implements Gate.Config {
    /** Defaults, as in the paper. */
    public Config() {
      this(1.25, 0.01, 0.01);
    }

    /** Checks the values. */
    public Config {
      notNegative("capacity", capacity);
      notNegative("balance", balance);
      share("jitter", jitter);
    }

    @Override
    public String type() {
      return "switch";
    }

    @Override
    public Gate build(BlockContext context, int experts) {
      return new SwitchGate(this, context, experts);
    }
  }

  private final Config config;
  private final int experts;
  private final Slot<Layer> scores;

  SwitchGate(Config config, BlockContext context, int experts) {
    this.config = config;
    this.experts = experts;
    Initializer normal = Initializer.normal(context.init().deviation());
    this.scores = child("scores", Layer.class, new Linear(context.width(), experts, false, normal));
  }

  @Override
  Routing route(RoutedRows rows) {
    Tensor probabilities = precise(() -> distribution(scores.get().forward(jittered(rows.x()))));
    Tensor chosen = best(probabilities);
    Tensor weights = probabilities.gather(1, chosen);
    long capacity =
        isTraining() && config.capacity() > 0
            ? Math.max(1, (long) Math.ceil(config.capacity() * rows.count() / experts))
            : Long.MAX_VALUE;
    Routing routing =
        Routing.of(experts, chosen, weights, capacity).withProbabilities(probabilities);
    balance(config.balance(), probabilities, routing);
    return routing;
  }

  private Tensor jittered(Tensor x) {
    if (!isTraining() || config.jitter() == 0) {
      return x;
    }
    Tensor noise = Tensor.rand(x.shape().toArray()).to(x.dtype());
    return x.mul(noise.mul(2 * config.jitter()).add(1 - config.jitter()));
  }
}
