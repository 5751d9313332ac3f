package dev.jformer.ffn.expert;

import com.google.auto.service.AutoService;
import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Projection;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * A linear layer {@code x Wᵀ + b} in which each token uses a part of its dimensions, of the <a
 * href="https://arxiv.org/abs/2412.05644">Mixture of Hidden-Dimensions Transformer</a> (MoHD). They
 * are split into groups of neighbours; the first are shared by all tokens, of the others a router
 * chooses k for each token. As a model's projection it stands for all matrices of attention and of
 * the feed-forward parts.
 *
 * <p>Three things compensate for unused groups. The result is scaled by groups / (shared + k). The
 * part of a chosen group is weighted by its probability times the number of groups to choose from,
 * so that gradients reach the router; with equal probabilities this is 1. A fusion matrix [groups,
 * groups], which starts as the identity, mixes the groups of the result. The authors publish no
 * code; the size and place of the fusion, the weights and the balancing loss (that of <a
 * href="https://arxiv.org/abs/2101.03961">Switch Transformers: Scaling to Trillion Parameter Models
 * with Simple and Efficient Sparsity</a>) are settled here.
 */
public final class Mohd extends Layer {
  /**
   * Configuration.
   *
   * @param groups that dimensions are split into; must divide all widths of the model
   * @param shared groups that all tokens use
   * @param active k, further groups that a token uses
   * @param balance factor of the loss that balances how often groups are chosen
   */
  @AutoService(Projection.class)
  public record Config(int groups, int shared, int active, double balance) implements Projection {
    /** Defaults: half of the dimensions; one of four groups is shared, and one of three chosen. */
    public Config() {
      this(4, 1, 1, 0.01);
    }

    /** Checks the values. */
    public Config {
      if (groups < 2 || shared < 0 || shared >= groups) {
        throw new IllegalArgumentException(
            "groups is "
                + groups
                + " and shared "
                + shared
                + ": expected at least 2 groups and fewer shared ones");
      }
      if (active < 1 || active > groups - shared) {
        throw new IllegalArgumentException(
            "active is " + active + ": expected 1 to " + (groups - shared) + ", groups not shared");
      }
      Gate.notNegative("balance", balance);
    }

    @Override
    public String type() {
      return "mohd";
    }

    @Override
    public Layer build(long in, long out, boolean bias, Initializer initializer) {
      return new Mohd(this, in, out, bias, initializer);
    }
  }

  private final Config config;
  private final long size;
  private final Parameter weight;
  private final Parameter bias;
  private final Parameter router;
  private final Parameter fusion;

  Mohd(Config config, long in, long out, boolean bias, Initializer initializer) {
    if (in % config.groups() != 0 || out % config.groups() != 0) {
      throw new IllegalArgumentException(
          "groups is "
              + config.groups()
              + ": expected a divisor of the widths "
              + in
              + " and "
              + out);
    }
    this.config = config;
    this.size = in / config.groups();
    this.weight = parameter("weight", initializer.create(out, in));
    this.bias = bias ? parameter("bias", Tensor.zeros(out)) : null;
    this.router = parameter("router", initializer.create(routed(), in));
    float[] identity = new float[config.groups() * config.groups()];
    for (int g = 0; g < config.groups(); g++) {
      identity[g * config.groups() + g] = 1;
    }
    // A vector, so that weight decay does not apply.
    this.fusion = parameter("fusion", Tensor.of(identity));
  }

  private int routed() {
    return config.groups() - config.shared();
  }

  @Override
  public Tensor forward(Tensor x) {
    long out = weight.value().size(0);
    Tensor flat = x.flatten(0, -2);
    if (flat.size(0) == 0) {
      return Functional.linear(x, weight.value(), null); // of the right shape
    }
    Tensor sum = choose(flat).run(flat, this::ofGroup);
    if (config.shared() > 0) {
      long width = config.shared() * size;
      Tensor shared =
          Functional.linear(flat.narrow(1, 0, width), weight.value().narrow(1, 0, width), null);
      sum = sum.add(shared);
    }
    double scale = (double) config.groups() / (config.shared() + config.active());
    Tensor mixing = fusion.value().view(config.groups(), config.groups()).mul(scale);
    Tensor fused = mixing.matmul(sum.unflatten(1, config.groups(), -1)).flatten(1, 2);
    long[] shape = x.shape().toArray();
    shape[shape.length - 1] = out;
    return (bias == null ? fused : fused.add(bias.value())).view(shape);
  }

  private Tensor ofGroup(int group, Tensor tokens) {
    long first = (config.shared() + group) * size;
    return Functional.linear(
        tokens.narrow(1, first, size), weight.value().narrow(1, first, size), null);
  }

  private Routing choose(Tensor tokens) {
    Tensor scores =
        Gate.precise(() -> tokens.to(router.value().dtype()).matmul(router.value().t()));
    Tensor probabilities = Gate.distribution(scores);
    Tensor chosen = scores.detach().topK(config.active(), -1).indices();
    Tensor weights = probabilities.gather(1, chosen).mul(routed());
    Routing routing = Routing.of(routed(), chosen, weights).withProbabilities(probabilities);
    balance(probabilities, routing);
    return routing;
  }

  private void balance(Tensor probabilities, Routing routing) {
    if (config.balance() > 0 && isTraining() && AuxiliaryLosses.isCollecting()) {
      Tensor shares = Tensor.of(routing.shares(), routed()).to(probabilities.dtype());
      Tensor product = probabilities.mean(0, false).mul(shares).sum();
      AuxiliaryLosses.loss(product.mul(config.balance() * routed()));
    }
  }
}
