package dev.jformer.ffn.expert;

import com.google.auto.service.AutoService;
import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * StableMoE's gate (<a href="https://arxiv.org/abs/2204.08396">StableMoE: Stable Routing Strategy
 * for Mixture of Experts</a>), in two stages. In the first a gate is learned: a token goes to the
 * expert whose vector has the largest product with it, and a loss lowers the scores of experts that
 * have more than an equal share; meanwhile a light router, which only sees the token's id, is
 * distilled from the gate. In the second stage, and always in inference, the light router decides
 * and no longer changes. In both stages the expert's output is weighted by the logistic function of
 * the product with the expert's vector, which is trained throughout.
 *
 * <p>Three things differ from the authors' code. Losses are means over the tokens; theirs are sums.
 * Experts have no capacity: theirs leaves tokens beyond {@code capacity_factor} times an equal
 * share as they are, to bound the memory of one device, of which there is one here. And theirs
 * stand in layers of their own between the blocks of a dense model, each a norm and a perceptron
 * with a residual connection; here they are the channel mixers of blocks, which have both already,
 * so that all gates are compared in the same place.
 */
public final class StableGate extends Gate {
  /**
   * Configuration.
   *
   * @param vocab the model's vocabulary size
   * @param first share of training that the first stage takes
   * @param features width of the light router's token embeddings
   * @param balance factor of the loss that balances the load
   * @param distill factor of the loss of the light router
   */
  @AutoService(Gate.Config.class)
  public record Config(int vocab, double first, int features, double balance, double distill)
      implements Gate.Config {
    /** Defaults, as in the paper, for bytes. */
    public Config() {
      this(256, 0.1, 50, 0.3, 0.3);
    }

    /** Checks the values. */
    public Config {
      share("first", first);
      notNegative("balance", balance);
      notNegative("distill", distill);
      if (vocab < 1 || features < 1) {
        throw new IllegalArgumentException(
            "vocab is " + vocab + " and features is " + features + ": expected at least 1");
      }
    }

    @Override
    public String type() {
      return "stable";
    }

    @Override
    public Gate build(BlockContext context, int experts) {
      return new StableGate(this, context, experts);
    }
  }

  private static final double DEVIATION = 0.1;

  private final Config config;
  private final int experts;
  private final Parameter centroids;
  private final Parameter words;
  private final Parameter wordCentroids;
  private boolean learning = true;

  StableGate(Config config, BlockContext context, int experts) {
    this.config = config;
    this.experts = experts;
    this.centroids = parameter("centroids", Centroids.draw(experts, context.width()));
    Tensor drawn = Tensor.randn(config.vocab(), config.features()).mul(DEVIATION);
    this.words = parameter("words", drawn);
    this.wordCentroids = parameter("wordCentroids", Centroids.draw(experts, config.features()));
  }

  @Override
  void before(long step, long steps) {
    this.learning = step < config.first() * (double) steps;
  }

  @Override
  Routing route(RoutedRows rows) {
    Tensor ids = rows.ids("stable");
    if (rows.count() > 0 && ids.max().itemLong() >= config.vocab()) {
      throw new IllegalArgumentException(
          "the gate 'stable' has a vocab of "
              + config.vocab()
              + ", but a token has the id "
              + ids.max().itemLong()
              + ": set vocab to the model's");
    }
    Tensor scores = precise(() -> Functional.linear(rows.x(), centroids.value(), null));
    boolean first = isTraining() && learning;
    Tensor light = first && !AuxiliaryLosses.isCollecting() ? null : light(ids);
    Tensor column = best(first ? scores : light);
    Tensor chosen = column.squeeze(1);
    Tensor weights = scores.gather(1, column).sigmoid();
    Routing routing = Routing.of(experts, column, weights);
    if (first && light != null) {
      Tensor distilled = Functional.crossEntropy(light, chosen, -1, 0);
      AuxiliaryLosses.loss(distilled.mul(config.distill()));
      AuxiliaryLosses.loss(excess(routing, chosen, weights).mul(config.balance()));
    }
    return routing;
  }

  /** The light router's scores of token ids [n]: [n, N]. */
  private Tensor light(Tensor ids) {
    return precise(
        () ->
            Functional.linear(
                Functional.embedding(ids, words.value()), wordCentroids.value(), null));
  }

  /** Mean over the tokens of the weight times their expert's excess over an equal share. */
  private Tensor excess(Routing routing, Tensor chosen, Tensor weights) {
    double[] above = routing.shares();
    for (int e = 0; e < above.length; e++) {
      above[e] = above[e] * experts - 1;
    }
    Tensor each = Tensor.of(above, experts).to(weights.dtype()).indexSelect(0, chosen);
    return weights.squeeze(1).mul(each).mean();
  }

  /** The expert of each token id in the second stage, for analysis: int64 [V]. */
  Tensor secondStageExperts() {
    return light(Tensor.arange(0, config.vocab())).detach().argmax(1).to(DType.INT64);
  }
}
