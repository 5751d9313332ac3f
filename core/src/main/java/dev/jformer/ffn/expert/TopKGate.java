package dev.jformer.ffn.expert;

import com.google.auto.service.AutoService;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Tensor;

/**
 * A learned linear gate (<a href="https://arxiv.org/abs/1701.06538">Outrageously Large Neural
 * Networks: The Sparsely-Gated Mixture-of-Experts Layer</a>, without its noise): the k experts with
 * the highest scores work on a token. Their weights are the softmax over the k scores or, if only
 * one is chosen or {@code renormalise} is off, their probabilities among all experts, so that a
 * gate with k = 1 gets a gradient. Among equal scores it is not determined which expert is chosen.
 */
public final class TopKGate extends Gate implements Gate.Slimmable {
  /**
   * Configuration.
   *
   * @param k experts for each token
   * @param renormalise whether the weights of several chosen experts add up to 1
   * @param balance factor of the loss that balances the load (<a
   *     href="https://arxiv.org/abs/2101.03961">Switch Transformers: Scaling to Trillion Parameter
   *     Models with Simple and Efficient Sparsity</a>)
   */
  @AutoService(Gate.Config.class)
  public record Config(int k, boolean renormalise, double balance) implements Gate.Config {
    /** Defaults: two experts for each token. */
    public Config() {
      this(2, true, 0.01);
    }

    /** Checks the values. */
    public Config {
      Gate.check(k, Integer.MAX_VALUE);
      notNegative("balance", balance);
    }

    @Override
    public String type() {
      return "top-k";
    }

    @Override
    public Gate build(BlockContext context, int experts) {
      return new TopKGate(this, context, experts);
    }
  }

  private final Config config;
  private final int experts;
  private final Slot<Layer> scores;
  private int active;

  TopKGate(Config config, BlockContext context, int experts) {
    check(config.k(), experts);
    this.config = config;
    this.experts = experts;
    this.active = config.k();
    Initializer normal = Initializer.normal(context.init().deviation());
    this.scores = child("scores", Layer.class, new Linear(context.width(), experts, false, normal));
  }

  @Override
  public void activate(int k) {
    check(k, experts);
    this.active = k;
  }

  @Override
  Routing route(RoutedRows rows) {
    int k = isTraining() ? config.k() : active;
    Tensor logits = precise(() -> scores.get().forward(rows.x()));
    Tensor probabilities = distribution(logits);
    Tensor chosen = k == 1 ? best(logits) : logits.detach().topK(k, 1).indices();
    Tensor weights =
        config.renormalise() && k > 1
            ? distribution(logits.gather(1, chosen))
            : probabilities.gather(1, chosen);
    Routing routing = Routing.of(experts, chosen, weights).withProbabilities(probabilities);
    balance(config.balance(), probabilities, routing);
    return routing;
  }
}
