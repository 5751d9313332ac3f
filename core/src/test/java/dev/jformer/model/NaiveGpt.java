package dev.jformer.model;

import dev.jformer.mixer.NaiveAttention;
import dev.jformer.nn.Norm;
import dev.jformer.testing.Loops;
import dev.jformer.testing.Weights;
import java.util.function.UnaryOperator;

/**
 * GPT-2's forward pass, and Llama's, on one sequence: written in plain loops over float64 numbers,
 * with the weights' names as the only thing shared with the model.
 */
final class NaiveGpt {
  private final CausalLm.Config config;
  private final Weights weights;
  private final NaiveAttention attention;
  private final UnaryOperator<double[][]> embed;
  private final Feedforward feedforward;

  /** A channel mixer whose weights stand under a prefix. */
  interface Feedforward {
    double[][] forward(double[][] x, Weights weights, String prefix);
  }

  NaiveGpt(
      CausalLm model,
      NaiveAttention attention,
      UnaryOperator<double[][]> embed,
      Feedforward feedforward) {
    this.config = model.config();
    this.weights = Weights.of(model);
    this.attention = attention;
    this.embed = embed;
    this.feedforward = feedforward;
  }

  /** Logits [T][V] of one sequence. */
  double[][] logits(long... ids) {
    double[][] table = weights.matrix("embedding.weight");
    double[][] x = new double[ids.length][];
    for (int t = 0; t < ids.length; t++) {
      x[t] = table[(int) ids[t]].clone();
    }
    x = embed.apply(x);
    NaiveBlock blocks = new NaiveBlock(config.placement(), this::norm);
    for (int layer = 0; layer < config.layers(); layer++) {
      String block = "blocks." + layer + ".";
      NaiveAttention mixer = attention.at(block + "mixer.");
      x =
          blocks.forward(
              x,
              block,
              each -> mixer.forward(each, weights),
              each -> feedforward.forward(each, weights, block + "ffn."));
    }
    x = blocks.last(x, "norm");
    return Loops.linear(x, config.tied() ? table : weights.matrix("head.weight"), null);
  }

  private double[][] norm(double[][] x, String name) {
    if (config.norm() instanceof Norm.LayerNormConfig layer) {
      return Loops.layerNorm(
          x, weights.vector(name + ".weight"), weights.vector(name + ".bias"), layer.epsilon());
    }
    if (config.norm() instanceof Norm.RmsNormConfig rms) {
      return Loops.rmsNorm(x, weights.vector(name + ".weight"), rms.epsilon());
    }
    return x;
  }

  /** {@code down(gelu(up(x)))}. */
  static double[][] mlp(double[][] x, Weights weights, String prefix) {
    double[][] hidden = Loops.linear(x, weights, prefix + "up");
    return Loops.linear(Loops.map(hidden, Loops::gelu), weights, prefix + "down");
  }

  /** {@code down(silu(gate(x)) * up(x))}. */
  static double[][] swiGlu(double[][] x, Weights weights, String prefix) {
    double[][] both = Loops.linear(x, weights, prefix + "gateUp");
    int hidden = both[0].length / 2;
    double[][] product = new double[x.length][hidden];
    for (int t = 0; t < x.length; t++) {
      for (int i = 0; i < hidden; i++) {
        product[t][i] = Loops.silu(both[t][i]) * both[t][hidden + i];
      }
    }
    return Loops.linear(product, weights, prefix + "down");
  }
}
