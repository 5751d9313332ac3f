package dev.jformer.studies.trial;

import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.expert.Experts;
import dev.jformer.ffn.expert.TopKGate;
import dev.jformer.model.BlockConfig;
import dev.jformer.nn.Activation;
import dev.jformer.nn.BlockContext;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * The cost of routing: the time of a mixture-of-experts layer divided by that of a dense MLP as
 * large as its active experts.
 *
 * @param experts number of experts
 * @param active number of experts for each token, chosen by a learned gate
 * @param tokens number of tokens in one call
 * @param forward ratio of the forward passes, in inference
 * @param both ratio of forward and backward passes, in training
 */
public record ExpertCost(int experts, int active, int tokens, double forward, double both) {
  private static final int WARM_UP = 2;

  /**
   * Measures the two layers in turns.
   *
   * @param width D
   * @param hidden hidden width of an expert
   * @param rounds number of rounds
   */
  public static ExpertCost measure(
      int experts, int active, int tokens, int width, int hidden, int rounds) {
    Random.seed(1);
    BlockContext context = new BlockConfig().context(width, 0, 1, tokens, false, 1);
    ChannelMixer dense = new Mlp.Config(Activation.RELU, 4, active * hidden).build(context);
    ChannelMixer routed =
        new Experts.Config(
                new Mlp.Config(Activation.RELU, 4, hidden),
                experts,
                new TopKGate.Config(active, true, 0.01))
            .build(context);
    List<ChannelMixer> layers = List.of(dense, routed);
    try (Scope scope = Scope.open()) {
      Tensor x = Tensor.randn(1, tokens, width);
      Tensor g = Tensor.randn(1, tokens, width);
      layers.forEach(layer -> layer.train(false));
      double forward = ratio(layers.stream().map(layer -> forward(layer, x)).toList(), rounds);
      layers.forEach(layer -> layer.train(true));
      x.requiresGrad(true);
      double both = ratio(layers.stream().map(layer -> both(layer, x, g)).toList(), rounds);
      return new ExpertCost(experts, active, tokens, forward, both);
    } finally {
      layers.forEach(ChannelMixer::close);
    }
  }

  private static double ratio(List<Runnable> work, int rounds) {
    List<Double> seconds = InterleavedTimer.seconds(work, WARM_UP, rounds);
    return seconds.get(1) / seconds.get(0);
  }

  private static Runnable forward(ChannelMixer layer, Tensor x) {
    return () -> {
      try (Mode mode = Autograd.noGrad()) {
        layer.forward(x);
      }
    };
  }

  private static Runnable both(ChannelMixer layer, Tensor x, Tensor g) {
    return () -> {
      layer.clearGrads();
      x.clearGrad();
      layer.forward(x).backward(g);
    };
  }
}
