package dev.jformer.ffn.expert;

import dev.jformer.config.Part;
import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Module;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import java.util.function.Supplier;

/**
 * A gate (router) of a mixture of experts: it chooses the experts of each token and their weights.
 */
public abstract class Gate extends Module {
  /** Configuration of a gate. */
  public interface Config extends Part {
    /**
     * Builds the gate of one layer.
     *
     * @param context the block of the layer
     * @param experts N, the number of experts
     */
    Gate build(BlockContext context, int experts);
  }

  /** A gate whose number of experts for each token can be changed in inference. */
  public interface Slimmable {
    /**
     * Sets the number of experts for each token in inference.
     *
     * @throws IllegalArgumentException unless k is 1 to N
     */
    void activate(int k);
  }

  /** Routes tokens; gradients reach the gate through the weights of the routing. */
  abstract Routing route(RoutedRows rows);

  /**
   * Called before each update once there is more than one expert.
   *
   * @param step number of updates done
   * @param steps number of updates in all
   */
  void before(long step, long steps) {}

  /** Computes {@code body} in full precision: gates are unstable in mixed precision. */
  static Tensor precise(Supplier<Tensor> body) {
    try (Mode mode = Autograd.autocast(DType.BFLOAT16, false)) {
      return body.get();
    }
  }

  /**
   * The softmax of the scores of experts, [n, N] to [n, N]. It is computed on the transpose: a
   * softmax over a short last dimension handles tokens one by one, over the first dimension many at
   * a time.
   */
  static Tensor distribution(Tensor scores) {
    return scores.t().contiguous().softmax(0).t();
  }

  /** The expert of the highest score: [n, N] to int64 [n, 1]. */
  static Tensor best(Tensor scores) {
    return scores.detach().argmax(1).unsqueeze(1);
  }

  /**
   * Adds the balancing loss of <a href="https://arxiv.org/abs/2101.03961">Switch Transformers:
   * Scaling to Trillion Parameter Models with Simple and Efficient Sparsity</a>: N Σ f p over the
   * experts, where f is the share of tokens routed to an expert and p its mean probability. It is 1
   * if both are equal for all experts.
   *
   * @param probabilities [n, N]
   */
  final void balance(double factor, Tensor probabilities, Routing routing) {
    if (factor > 0 && isTraining() && AuxiliaryLosses.isCollecting()) {
      Tensor shares = Tensor.of(routing.shares(), routing.experts()).to(probabilities.dtype());
      Tensor product = probabilities.mean(0, false).mul(shares).sum();
      AuxiliaryLosses.loss(product.mul(factor * routing.experts()));
    }
  }

  /** Checks a number of experts for each token. */
  static void check(int k, int experts) {
    if (k < 1 || k > experts) {
      throw new IllegalArgumentException(
          "k is " + k + ": expected 1 to " + experts + ", the number of experts");
    }
  }

  /** Checks a factor of a loss, or another number that must not be negative. */
  static void notNegative(String name, double value) {
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw new IllegalArgumentException(name + " is " + value + ": expected at least 0");
    }
  }

  /** Checks a share. */
  static void share(String name, double value) {
    if (!(value >= 0 && value <= 1)) {
      throw new IllegalArgumentException(name + " is " + value + ": expected 0 to 1");
    }
  }
}
