package dev.jformer.ffn.expert;

import com.google.auto.service.AutoService;
import dev.jformer.ffn.internal.BalancedAssignment;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * The gate of BASE layers (<a href="https://arxiv.org/abs/2103.16716">BASE Layers: Simplifying
 * Training of Large, Sparse Models</a>): in training the tokens of a batch are assigned so that
 * every expert gets the same number and the sum of scores, the products of tokens with a vector of
 * each expert, is as high as possible; in inference each token goes to the expert with the highest
 * score. The expert's output is weighted by the logistic function of the score. There is no
 * balancing loss.
 *
 * <p>The authors insert these experts as layers of their own, each a stack of norms and perceptrons
 * with residual connections, into a dense model; here they are the channel mixers of blocks, which
 * have a norm and a residual connection already.
 */
public final class BaseGate extends Gate {
  /** Configuration. */
  @AutoService(Gate.Config.class)
  public record Config() implements Gate.Config {
    @Override
    public String type() {
      return "base";
    }

    @Override
    public Gate build(BlockContext context, int experts) {
      return new BaseGate(context, experts);
    }
  }

  private final int experts;
  private final Parameter centroids;

  BaseGate(BlockContext context, int experts) {
    this.experts = experts;
    this.centroids = parameter("centroids", Centroids.draw(experts, context.width()));
  }

  @Override
  Routing route(RoutedRows rows) {
    Tensor scores = precise(() -> Functional.linear(rows.x(), centroids.value(), null));
    Tensor chosen = isTraining() ? assigned(scores) : best(scores);
    return Routing.of(experts, chosen, scores.gather(1, chosen).sigmoid());
  }

  private Tensor assigned(Tensor scores) {
    double[] flat = scores.detach().toDoubles();
    double[][] table = new double[flat.length / experts][experts];
    for (int i = 0; i < flat.length; i++) {
      table[i / experts][i % experts] = flat[i];
    }
    return Tensor.of(BalancedAssignment.of(table, experts))
        .to(dev.jformer.tensor.DType.INT64)
        .unsqueeze(1);
  }
}
