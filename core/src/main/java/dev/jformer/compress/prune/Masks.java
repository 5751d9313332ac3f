package dev.jformer.compress.prune;

import dev.jformer.compress.ModelRebuilder;
import dev.jformer.model.Model;
import dev.jformer.nn.Linear;
import dev.jformer.nn.sparse.SparseLinear;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Pruning masks, which say what weights of a model are kept, by magnitude as in <a
 * href="https://arxiv.org/abs/2306.03805">The Emergence of Essential Sparsity in Large Pre-trained
 * Models: The Weights that Matter</a> or by another rule. They cover the linear layers in the
 * model's blocks, as far as its {@code projection} makes them. Embeddings, norms, biases, patch
 * convolutions and output layers are not pruned.
 *
 * @param kept by the layers' dotted names in the model's order, bool [out, in], true where a weight
 *     is kept. The tensors live as long as the scope that they were made in.
 */
public record Masks(Map<String, Tensor> kept) {
  /** The weights that are compared with each other. */
  public enum Reach {
    /** Those of the whole model: layers may keep different shares. */
    GLOBAL,
    /** Those of one layer: each keeps the same share. */
    LAYER
  }

  /**
   * The weights that masks apply to: [out, in], zero where a sparse model has none.
   *
   * @throws IllegalArgumentException if the model's linear layers are neither plain nor sparse
   */
  public static Map<String, Tensor> weights(Model model) {
    Map<String, Tensor> weights = new LinkedHashMap<>();
    if (Sparse.is(model)) {
      ModelRebuilder.all(model, SparseLinear.class)
          .forEach((name, layer) -> weights.put(name, layer.weight()));
      return weights;
    }
    ModelRebuilder.expectPlain("pruning", model.config());
    try (Model shape = ModelRebuilder.rebuilt(model, config(model, new SparseLinear.Config(1)))) {
      ModelRebuilder.linears(model, ModelRebuilder.all(shape, SparseLinear.class))
          .forEach((name, layer) -> weights.put(name, layer.weight().value().detach()));
    }
    return weights;
  }

  /** The masks of a sparse model. */
  public static Masks of(Model model) {
    Map<String, Tensor> kept = new LinkedHashMap<>();
    ModelRebuilder.all(model, SparseLinear.class)
        .forEach((name, layer) -> kept.put(name, layer.mask()));
    return new Masks(kept);
  }

  /**
   * Keeps the weights with the highest scores.
   *
   * @param scores by the layers' names
   * @param density the share of weights that is kept
   */
  public static Masks highest(Map<String, Tensor> scores, double density, Reach reach) {
    if (reach == Reach.LAYER) {
      Map<String, Tensor> kept = new LinkedHashMap<>();
      scores.forEach(
          (name, score) -> kept.putAll(highest(Map.of(name, score), density, Reach.GLOBAL).kept));
      return new Masks(kept);
    }
    List<Tensor> rows = scores.values().stream().map(s -> s.reshape(-1)).toList();
    Tensor all = Tensor.cat(0, rows.toArray(Tensor[]::new));
    int count = Math.toIntExact(Math.round(density * all.elements()));
    Tensor flags = all.zerosLike();
    if (count > 0) {
      flags = flags.scatter(0, all.topK(count, 0).indices(), 1.0);
    }
    return split(flags, scores);
  }

  /** Keeps the N of each M adjacent weights in a row with the highest scores. */
  public static Masks highest(Map<String, Tensor> scores, int keep, int of) {
    Map<String, Tensor> kept = new LinkedHashMap<>();
    scores.forEach(
        (name, score) -> {
          if (score.size(1) % of != 0) {
            throw new IllegalArgumentException(
                "the layer "
                    + name
                    + " has "
                    + score.size(1)
                    + " inputs, which is not a multiple of "
                    + of
                    + ": "
                    + keep
                    + ":"
                    + of
                    + " sparsity does not suit this model");
          }
          Tensor groups = score.reshape(-1, of);
          Tensor flags = groups.zerosLike().scatter(1, groups.topK(keep, 1).indices(), 1.0);
          kept.put(name, flags.gt(0).reshape(score.size(0), score.size(1)));
        });
    return new Masks(kept);
  }

  /**
   * Keeps random weights, all equally likely within a layer.
   *
   * @param densities the share that is kept of each layer, by its name
   */
  public static Masks random(Map<String, Tensor> weights, Map<String, Double> densities) {
    Map<String, Tensor> kept = new LinkedHashMap<>();
    weights.forEach(
        (name, weight) -> {
          Tensor chance = Tensor.rand(weight.size(0), weight.size(1));
          Map<String, Tensor> one = Map.of(name, chance);
          kept.putAll(highest(one, densities.get(name), Reach.GLOBAL).kept);
        });
    return new Masks(kept);
  }

  private static Masks split(Tensor flags, Map<String, Tensor> shapes) {
    Map<String, Tensor> kept = new LinkedHashMap<>();
    long start = 0;
    for (Map.Entry<String, Tensor> shape : shapes.entrySet()) {
      long size = shape.getValue().elements();
      Tensor part = flags.narrow(0, start, size).gt(0);
      kept.put(shape.getKey(), part.reshape(shape.getValue().shape().toArray()));
      start += size;
    }
    return new Masks(kept);
  }

  /** The share of weights that is kept. */
  public double density() {
    double count = 0;
    double all = 0;
    for (Tensor mask : kept.values()) {
      count += mask.to(DType.FLOAT64).sum().item();
      all += mask.elements();
    }
    return count / all;
  }

  /** The share of weights of each layer that is kept. */
  public Map<String, Double> densities() {
    Map<String, Double> densities = new LinkedHashMap<>();
    kept.forEach(
        (name, mask) -> densities.put(name, mask.to(DType.FLOAT64).sum().item() / mask.elements()));
    return densities;
  }

  /**
   * Creates a copy of a model, in inference mode, with only the weights that are kept; it can be
   * trained further.
   *
   * @param model with plain layers
   * @throws IllegalArgumentException if the masks do not fit the model, or its layers are not plain
   */
  public Model applied(Model model) {
    return applied(model, new SparseLinear.Config(Math.max(Double.MIN_NORMAL, density())));
  }

  /** Creates such a copy in another form, such as that of N:M sparsity. */
  Model applied(Model model, SparseLinear.Config form) {
    ModelRebuilder.expectPlain("pruning", model.config());
    return ModelRebuilder.filled(model, config(model, form), made -> fill(made, model));
  }

  private void fill(Model made, Model model) {
    Map<String, SparseLinear> layers = ModelRebuilder.all(made, SparseLinear.class);
    if (!layers.keySet().equals(kept.keySet())) {
      List<String> names = new ArrayList<>(layers.keySet());
      throw new IllegalArgumentException(
          "the masks are for the layers "
              + kept.keySet()
              + ", but the model's are "
              + names
              + ": use masks of this model");
    }
    ModelRebuilder.linears(model, layers)
        .forEach((name, linear) -> fill(name, layers.get(name), linear));
  }

  private void fill(String name, SparseLinear layer, Linear original) {
    try {
      layer.fill(original.weight().value().detach(), kept.get(name));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("the layer " + name + ": " + e.getMessage(), e);
    }
  }

  private static Model.Config config(Model model, SparseLinear.Config form) {
    return ModelRebuilder.withProjection(model.config(), plain -> form);
  }
}
