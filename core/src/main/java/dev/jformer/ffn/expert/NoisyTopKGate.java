package dev.jformer.ffn.expert;

import com.google.auto.service.AutoService;
import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * Noisy top-k gating (<a href="https://arxiv.org/abs/1701.06538">Outrageously Large Neural
 * Networks: The Sparsely-Gated Mixture-of-Experts Layer</a>): in training, normal noise with a
 * learned deviation is added to the scores before the k highest are kept and their softmax is
 * taken. Two losses keep all experts in use, both squared coefficients of variation: that of
 * importance, the sum of an expert's weights, and that of a smooth estimate of load, the
 * probability that it would be chosen if its noise were drawn again. Both layers start at zero.
 *
 * <p>The deviation is the softplus of a raw score plus 0.01, as in the authors' code: without that
 * floor, where raw scores are far below zero, the load is divided by almost nothing and its
 * gradient is not finite.
 */
public final class NoisyTopKGate extends Gate {
  private static final double TINY = 1e-10;

  /** The least deviation of the noise. */
  private static final double FLOOR = 0.01;

  /**
   * Configuration.
   *
   * @param k experts for each token
   * @param importance factor of the loss of importance
   * @param load factor of the loss of load; it needs k to be less than the number of experts
   */
  @AutoService(Gate.Config.class)
  public record Config(int k, double importance, double load) implements Gate.Config {
    /** Defaults, as in the paper, with two experts. */
    public Config() {
      this(2, 0.1, 0.1);
    }

    /** Checks the values. */
    public Config {
      Gate.check(k, Integer.MAX_VALUE);
      notNegative("importance", importance);
      notNegative("load", load);
    }

    @Override
    public String type() {
      return "noisy-top-k";
    }

    @Override
    public Gate build(BlockContext context, int experts) {
      return new NoisyTopKGate(this, context, experts);
    }
  }

  private final Config config;
  private final int experts;
  private final Slot<Layer> scores;
  private final Slot<Layer> noise;

  NoisyTopKGate(Config config, BlockContext context, int experts) {
    check(config.k(), experts);
    this.config = config;
    this.experts = experts;
    Initializer zeros = Initializer.zeros();
    this.scores = child("scores", Layer.class, new Linear(context.width(), experts, false, zeros));
    this.noise = child("noise", Layer.class, new Linear(context.width(), experts, false, zeros));
  }

  @Override
  Routing route(RoutedRows rows) {
    Tensor clean = precise(() -> scores.get().forward(rows.x()));
    Tensor deviation = isTraining() ? precise(() -> deviation(rows.x())) : null;
    Tensor seen = clean;
    if (deviation != null) {
      Tensor drawn = Tensor.randn(rows.count(), experts).to(clean.dtype());
      seen = clean.add(drawn.mul(deviation));
    }
    Tensor.Ranked best = seen.topK(Math.min(config.k() + 1, experts), 1);
    Tensor chosen = best.indices().narrow(1, 0, config.k());
    Tensor weights = distribution(best.values().narrow(1, 0, config.k()));
    Routing routing = Routing.of(experts, chosen, weights).withProbabilities(distribution(clean));
    if (deviation != null && AuxiliaryLosses.isCollecting()) {
      Tensor importance = seen.zerosLike().scatter(1, chosen, weights).sum(0, false);
      AuxiliaryLosses.loss(variation(importance).mul(config.importance()));
      if (config.load() > 0 && config.k() < experts) {
        Tensor load = chance(clean, seen, deviation, best.values()).sum(0, false);
        AuxiliaryLosses.loss(variation(load).mul(config.load()));
      }
    }
    return routing;
  }

  private Tensor deviation(Tensor x) {
    return Functional.softplus(noise.get().forward(x)).add(FLOOR);
  }

  /** Probability that an expert is among the k if only its own noise is drawn again: [n, N]. */
  private Tensor chance(Tensor clean, Tensor seen, Tensor deviation, Tensor highest) {
    // A chosen expert must exceed the first that is not chosen, any other the last chosen one.
    Tensor last = highest.narrow(1, config.k() - 1, 1);
    Tensor next = highest.narrow(1, config.k(), 1);
    Tensor threshold = next.where(seen.gt(next), last);
    Tensor z = clean.sub(threshold).div(deviation);
    return z.div(Math.sqrt(2)).erf().add(1).mul(0.5);
  }

  /** The squared coefficient of variation: variance over squared mean. */
  private static Tensor variation(Tensor x) {
    Tensor mean = x.mean();
    return x.sub(mean).square().mean().div(mean.square().add(TINY));
  }
}
