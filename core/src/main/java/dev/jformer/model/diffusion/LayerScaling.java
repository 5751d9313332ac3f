package dev.jformer.model.diffusion;

import dev.jformer.config.Checks;

/**
 * Widths that grow with the depth (<a href="https://arxiv.org/abs/2404.14619">OpenELM: An Efficient
 * Language Model Family with Open Training and Inference Framework</a>): those of a block lie
 * between those of the first and of the last block, on a line.
 *
 * @param attentionFirst width of all heads of the first block, relative to the model's
 * @param attentionLast that of the last block
 * @param hiddenFirst hidden width of the perceptron of the first block, relative to the model's; a
 *     gated one has two thirds of it
 * @param hiddenLast that of the last block
 */
public record LayerScaling(
    double attentionFirst, double attentionLast, double hiddenFirst, double hiddenLast) {
  /** Default: all blocks have the usual widths. */
  public LayerScaling() {
    this(1, 1, 4, 4);
  }

  /** Checks the values. */
  public LayerScaling {
    Checks.moreThan("attentionFirst", attentionFirst, 0);
    Checks.moreThan("attentionLast", attentionLast, 0);
    Checks.moreThan("hiddenFirst", hiddenFirst, 0);
    Checks.moreThan("hiddenLast", hiddenLast, 0);
  }

  /** The width of all heads of a block, relative to the model's. */
  double attention(int layer, int layers) {
    return between(attentionFirst, attentionLast, layer, layers);
  }

  /** The hidden width of a block's perceptron, relative to the model's. */
  double hidden(int layer, int layers) {
    return between(hiddenFirst, hiddenLast, layer, layers);
  }

  private static double between(double first, double last, int layer, int layers) {
    return layers == 1 ? last : first + (last - first) * layer / (layers - 1);
  }
}
