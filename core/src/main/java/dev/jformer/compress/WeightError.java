package dev.jformer.compress;

import dev.jformer.model.Model;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.Map;

/** Measures how far the matrices of a compressed model are from those of the original. */
public final class WeightError {
  private WeightError() {}

  /**
   * Returns the share of the squares of the weights that is lost, of all matrices together: the
   * squared Frobenius norm of the difference over that of the original; 0 if nothing is lost.
   *
   * @param originals plain linear layers of the original, by their dotted names
   * @param compressed a model with layers of these names, of any kind that computes a linear
   *     function: quantized, sparse or factorized
   * @throws IllegalArgumentException if it has no layer of one of the names
   */
  public static double of(Map<String, Linear> originals, Model compressed) {
    double[] lostAndAll = new double[2];
    originals.forEach(
        (name, original) -> {
          if (!(compressed.modules().get(name) instanceof Layer layer)) {
            throw new IllegalArgumentException(
                "the compressed model has no layer " + name + ": expected one as in the original");
          }
          try (Scope scope = Scope.open();
              Mode mode = Autograd.noGrad()) {
            Tensor weight = original.weight().value();
            lostAndAll[0] += weight.sub(matrix(layer, weight)).square().sum().item();
            lostAndAll[1] += weight.square().sum().item();
          }
        });
    return lostAndAll[0] / lostAndAll[1];
  }

  /** The matrix [out, in] that a layer multiplies with, found by what it makes of unit vectors. */
  private static Tensor matrix(Layer layer, Tensor original) {
    long in = original.size(1);
    Tensor ones = Tensor.ones(in, in).to(original.dtype());
    Tensor units = ones.tril(0).sub(ones.tril(-1));
    Tensor offset = layer.forward(Tensor.zeros(original.dtype(), 1, in));
    return layer.forward(units).sub(offset).t();
  }
}
