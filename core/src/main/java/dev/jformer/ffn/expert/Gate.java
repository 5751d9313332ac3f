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

/** Decides which experts work on a token, and what their results count. */
public abstract class Gate extends Module {
  /** Configuration of a gate. */
  public interface Config extends Part {
    /**
     * The gate of one layer.
     *
     * @param site where the layer stands
     * @param experts N
     */
    Gate build(BlockContext site, int experts);
  }

  /** A gate whose number of experts for a token can be changed when it runs. */
  public interface Slimmable {
    /**
     * Chooses so many experts for each token in inference from now on.
     *
     * @throws IllegalArgumentException unless k is 1 to N
     */
    void activate(int k);
  }

  /** Routes tokens; gradients reach the gate through the weights of the routing. */
  abstract Routing route(RoutedRows rows);

  /**
   * Before an update of the training of more than one expert.
   *
   * @param step updates done
   * @param steps updates to be done in all
   */
  void before(long step, long steps) {}

  /** What {@code body} computes, in full precision: gates are unstable with less. */
  static Tensor precise(Supplier<Tensor> body) {
    try (Mode mode = Autograd.autocast(DType.BFLOAT16, false)) {
      return body.get();
    }
  }

  /**
   * The softmax of the scores of experts, [n, N] to [n, N]. Few scores side by side are done one by
   * one; one below the other, many tokens at a time.
   */
  static Tensor distribution(Tensor scores) {
    return scores.t().contiguous().softmax(0).t();
  }

  /** The expert of the highest score: [n, N] to int64 [n, 1]. */
  static Tensor best(Tensor scores) {
    return scores.detach().argmax(1).unsqueeze(1);
  }

  /**
   * Adds the loss of arXiv 2101.03961 that is 1 if all experts are chosen equally often and thought
   * equally good: N Σ f p, over the experts, of the share f that is routed to one and the mean
   * probability p that the gate gives it.
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
