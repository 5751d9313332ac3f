package dev.jformer.ffn.expert;

import com.google.auto.service.AutoService;
import dev.jformer.config.FormerNames;
import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/**
 * The gate of <a href="https://arxiv.org/abs/2112.14397">EvoMoE: An Evolutional Mixture-of-Experts
 * Training Framework via Dense-To-Sparse Gate</a>, which begins dense and becomes sparse. Weights
 * are the softmax of scores plus Gumbel noise, divided by a temperature τ that falls evenly in
 * training, {@code softmax((W x + noise) / τ)}: high temperatures make experts about equal, low
 * ones pick one. Experts whose weight is below a threshold do not run; the others keep their
 * weights. After a share of training only the expert of the largest weight runs.
 *
 * <p>In inference there is no noise; temperature and stage are those that training has reached. A
 * loss balances the load as in the authors' code: N times the sum over the experts of mean weight
 * and share of tokens that run them.
 */
public final class EvoMoeGate extends Gate {
  /**
   * Configuration.
   *
   * @param hot temperature at the beginning of training
   * @param cold temperature at the end
   * @param threshold experts with a weight below this do not run, as a share of 1/N; less than 1.
   *     The default is 0.001 of all weight for eight experts, as in the authors' experiments:
   *     nearly all experts run at the beginning. (Earlier builds had 0.5, which is not dense then.)
   * @param sparse share of training after which only one expert runs
   * @param balance factor of the loss that balances the load
   */
  @AutoService(Gate.Config.class)
  @FormerNames("dense-to-sparse")
  public record Config(double hot, double cold, double threshold, double sparse, double balance)
      implements Gate.Config {
    /** Defaults: temperature from 2 to 0.3, one expert in the last fifth of training. */
    public Config() {
      this(2, 0.3, 0.008, 0.8, 0.01);
    }

    /** Checks the values. */
    public Config {
      if (!(cold > 0) || !(hot >= cold) || Double.isInfinite(hot)) {
        throw new IllegalArgumentException(
            "hot is " + hot + " and cold is " + cold + ": expected hot >= cold > 0");
      }
      if (!(threshold >= 0 && threshold < 1)) {
        throw new IllegalArgumentException(
            "threshold is " + threshold + ": expected at least 0 and less than 1");
      }
      share("sparse", sparse);
      notNegative("balance", balance);
    }

    @Override
    public String type() {
      return "evomoe";
    }

    @Override
    public Gate build(BlockContext context, int experts) {
      return new EvoMoeGate(this, context, experts);
    }
  }

  private static final double TINY = 1e-10;

  private final Config config;
  private final int experts;
  private final Slot<Layer> scores;

  /** Temperature, and 1 if one expert runs, else 0; saved so that inference is as training was. */
  private final Parameter stage;

  EvoMoeGate(Config config, BlockContext context, int experts) {
    this.config = config;
    this.experts = experts;
    Initializer normal = Initializer.normal(context.init().deviation());
    this.scores = child("scores", Layer.class, new Linear(context.width(), experts, false, normal));
    this.stage = buffer("stage", Tensor.of(new float[] {(float) config.hot(), 0}, 2));
  }

  @Override
  void before(long step, long steps) {
    double end = config.sparse() * steps;
    double done = end > 0 ? Math.min(1, step / end) : 1;
    double temperature = config.hot() + done * (config.cold() - config.hot());
    stage.copyFrom(Tensor.of(new double[] {temperature, step >= end ? 1 : 0}, 2));
  }

  @Override
  Routing route(RoutedRows rows) {
    double[] now = stage.value().toDoubles();
    Tensor logits = precise(() -> scores.get().forward(rows.x()));
    Tensor noisy = isTraining() ? logits.add(gumbel(rows.count()).to(logits.dtype())) : logits;
    Tensor weights = distribution(noisy.div(now[0]));
    Routing routing;
    Tensor running;
    if (now[1] > 0) {
      Tensor chosen = best(weights);
      routing = Routing.of(experts, chosen, weights.gather(1, chosen));
      running = weights.detach().zerosLike().scatter(1, chosen, 1.0);
    } else {
      Tensor mask = weights.detach().ge(config.threshold() / experts);
      routing = Routing.where(mask, weights);
      running = mask.to(weights.dtype());
    }
    if (config.balance() > 0 && isTraining() && AuxiliaryLosses.isCollecting()) {
      Tensor mean = weights.mul(running).mean(0, false);
      Tensor product = mean.mul(running.mean(0, false)).sum();
      AuxiliaryLosses.loss(product.mul(config.balance() * experts));
    }
    return routing.withProbabilities(distribution(logits));
  }

  /** Gumbel noise: the argmax of scores plus noise is distributed as their softmax. */
  private Tensor gumbel(long count) {
    Tensor uniform = Tensor.rand(count, experts).to(DType.FLOAT64).clamp(TINY, 1 - TINY);
    return uniform.log().neg().log().neg();
  }
}
