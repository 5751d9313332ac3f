package dev.jformer.compress.prune;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.config.Checks;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Random pruning (<a href="https://arxiv.org/abs/2202.02643">The Unreasonable Effectiveness of
 * Random Pruning: Return of the Most Naive Baseline for Sparse Training</a>): removes random
 * weights of a model's linear layers, either before training, which then keeps the mask, or of a
 * trained model, as a baseline. The number of weights that each layer keeps follows a rule; the
 * rules SNIP and GraSP need data with targets. Layers keep exactly that number, whereas the
 * authors' code draws for each weight. Queries, keys and values, which one product computes here,
 * are layers of their own for these rules, as in the authors' code.
 *
 * @param sparsity the share of weights that is removed
 * @param ratios the rule for the share of weights that each layer keeps
 * @param seed seed of the draws
 * @param temperature what the rules SNIP and GraSP divide the logits by before the loss; the
 *     authors of GraSP take 200
 * @param reinitialize whether the rules SNIP and GraSP score the model with weights drawn anew
 *     (Xavier's normal distribution, <a
 *     href="https://proceedings.mlr.press/v9/glorot10a.html">Understanding the difficulty of
 *     training deep feedforward neural networks</a>), as the authors' code of SNIP does, instead of
 *     its own
 */
@AutoService(Compression.class)
public record RandomPruning(
    double sparsity, Ratios ratios, long seed, double temperature, boolean reinitialize)
    implements Compression {
  /** The rule for the share of weights that each layer keeps. */
  public enum Ratios {
    /** See {@link SparsityAllocation#UNIFORM}. */
    UNIFORM,
    /** See {@link SparsityAllocation#UNIFORM_PLUS}. */
    UNIFORM_PLUS,
    /** See {@link SparsityAllocation#ER}. */
    ER,
    /** See {@link SparsityAllocation#ERK}. */
    ERK,
    /** The shares that {@link Saliency#SNIP} keeps. */
    SNIP,
    /** The shares that {@link Saliency#GRASP} keeps. */
    GRASP
  }

  /** Defaults: half of the weights, by ERK. */
  public RandomPruning() {
    this(0.5, Ratios.ERK, 1);
  }

  /** Pruning whose rule scores the model's own weights at temperature 1. */
  public RandomPruning(double sparsity, Ratios ratios, long seed) {
    this(sparsity, ratios, seed, 1, false);
  }

  /** Checks the values. */
  public RandomPruning {
    Magnitude.checkSparsity(sparsity);
    if (ratios == null) {
      throw new IllegalArgumentException("ratios is null: expected uniform, erk or another rule");
    }
    Checks.moreThan("temperature", temperature, 0);
  }

  @Override
  public String type() {
    return "random-prune";
  }

  @Override
  public Needs needs() {
    return ratios == Ratios.SNIP || ratios == Ratios.GRASP ? Needs.CALIBRATION : Needs.NOTHING;
  }

  @Override
  public Model apply(Model model, CalibrationData calibration) {
    ModelRebuilder.expectPlain(type(), model.config());
    if (needs() == Needs.CALIBRATION && calibration == null) {
      throw new IllegalArgumentException(
          type() + " with the ratios of SNIP or GraSP needs calibration data with targets");
    }
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Map<String, Tensor> weights = Masks.weights(model);
      // Where all layers keep the same share, it does not matter what a layer is.
      JoinedParts parts =
          ratios == Ratios.UNIFORM ? new JoinedParts(Map.of()) : JoinedParts.of(model);
      Map<String, Double> densities = densities(model, weights, parts, calibration);
      Tensor before = Random.state();
      Random.seed(seed);
      Masks masks = Masks.random(parts.split(weights), densities);
      Random.restore(before);
      return parts.join(masks).applied(model);
    }
  }

  private Map<String, Double> densities(
      Model model, Map<String, Tensor> weights, JoinedParts parts, CalibrationData calibration) {
    if (needs() == Needs.CALIBRATION) {
      Map<String, Tensor> scores =
          reinitialize ? scoresAnew(model, weights, calibration) : scores(model, calibration);
      return Masks.highest(parts.split(scores), 1 - sparsity, Masks.Reach.GLOBAL).densities();
    }
    Map<String, Shape> shapes = new LinkedHashMap<>();
    parts.split(weights).forEach((name, weight) -> shapes.put(name, weight.shape()));
    return SparsityAllocation.valueOf(ratios.name()).densities(shapes, 1 - sparsity);
  }

  private Map<String, Tensor> scores(Model model, CalibrationData calibration) {
    return Saliency.valueOf(ratios.name())
        .scores(model, () -> calibration.loss(model, temperature));
  }

  /** Scores the model with other weights, and puts its own back. */
  private Map<String, Tensor> scoresAnew(
      Model model, Map<String, Tensor> weights, CalibrationData calibration) {
    Map<String, Tensor> own = new LinkedHashMap<>();
    weights.forEach((name, weight) -> own.put(name, weight.copy()));
    Tensor before = Random.state();
    Random.seed(seed);
    try {
      weights.forEach(
          (name, weight) -> weight.normal_(0, Math.sqrt(2.0 / (weight.size(0) + weight.size(1)))));
      return scores(model, calibration);
    } finally {
      weights.forEach((name, weight) -> weight.copy_(own.get(name)));
      Random.restore(before);
    }
  }
}
