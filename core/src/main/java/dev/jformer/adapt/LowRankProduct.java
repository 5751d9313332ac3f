package dev.jformer.adapt;

import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.quantized.QuantizedWeight;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The product of inputs with a frozen weight and its low-rank updates, {@code x (W + s B A)ᵀ + b},
 * as one node of the gradient graph.
 */
final class LowRankProduct {
  private static final Operator ADD_PRODUCT = Operator.named("aten::addmm_");

  private LowRankProduct() {}

  /**
   * Computes the layer's output with its updates.
   *
   * @param x [..., in]
   * @return [..., out]
   */
  static Tensor of(Layer frozen, Tensor x, List<LowRankUpdate> parts) {
    return Scope.tidy(() -> product(frozen, x, parts));
  }

  private static Tensor product(Layer frozen, Tensor x, List<LowRankUpdate> parts) {
    Tensor flat = x.reshape(-1, x.size(-1));
    boolean wanted = flat.requiresGrad();
    List<Tensor> operands = new ArrayList<>();
    Tensor result;
    try (Mode mode = Autograd.noGrad()) {
      result = frozen.forward(flat);
      Tensor low = Functional.linear(flat, joined(parts).to(flat.dtype()), null).to(result.dtype());
      long column = 0;
      for (LowRankUpdate part : parts) {
        Tensor rows = result.narrow(1, part.start(), part.rows());
        Tensor own = low.narrow(1, column, part.rank());
        addProduct(rows, own, part.b().value().to(result.dtype()).t(), part.scale());
        column += part.rank();
      }
      operands.add(flat);
      operands.add(low);
      parts.forEach(part -> operands.add(part.a().value()));
      parts.forEach(part -> operands.add(part.b().value()));
    }
    Tensor linked =
        Autograd.withGradient(
            "a product with adapted weights",
            result,
            (gradient, values) -> gradients(wanted ? frozen : null, parts, gradient, values),
            operands.toArray(Tensor[]::new));
    long[] shape = x.shape().toArray();
    shape[shape.length - 1] = result.size(1);
    return linked.reshape(shape);
  }

  /** The matrices A of all parts, [Σr, in]. */
  private static Tensor joined(List<LowRankUpdate> parts) {
    return parts.size() == 1
        ? parts.get(0).a().value()
        : Tensor.cat(0, parts.stream().map(p -> p.a().value()).toArray(Tensor[]::new));
  }

  /** Adds {@code scale · a b} to a matrix. */
  private static void addProduct(Tensor sum, Tensor a, Tensor b, double scale) {
    ADD_PRODUCT.call(sum, a, b, 1, scale);
  }

  /** The gradients of the operands; {@code frozen} is null if the input needs none. */
  private static List<Tensor> gradients(
      Layer frozen, List<LowRankUpdate> parts, Tensor gradient, List<Tensor> operands) {
    Tensor x = operands.get(0);
    Tensor low = operands.get(1);
    List<Tensor> ofLow = new ArrayList<>();
    List<Tensor> ofB = new ArrayList<>();
    long column = 0;
    for (LowRankUpdate part : parts) {
      Tensor rows = gradient.narrow(1, part.start(), part.rows());
      Tensor b = part.b().value().detach().to(gradient.dtype());
      ofLow.add(rows.matmul(b).mul_(part.scale()));
      Tensor own = low.narrow(1, column, part.rank());
      ofB.add(rows.t().matmul(own).mul_(part.scale()).to(part.b().value().dtype()));
      column += part.rank();
    }
    Tensor allLow = ofLow.size() == 1 ? ofLow.get(0) : Tensor.cat(1, ofLow.toArray(Tensor[]::new));
    Tensor ofA = allLow.t().matmul(x.to(allLow.dtype()));
    List<Tensor> all = new ArrayList<>();
    all.add(frozen == null ? null : ofInput(frozen, parts, gradient, allLow).to(x.dtype()));
    all.add(null);
    long row = 0;
    for (LowRankUpdate part : parts) {
      all.add(ofA.narrow(0, row, part.rank()).to(part.a().value().dtype()).contiguous());
      row += part.rank();
    }
    all.addAll(ofB);
    return all;
  }

  private static Tensor ofInput(
      Layer frozen, List<LowRankUpdate> parts, Tensor gradient, Tensor ofLow) {
    Tensor ofX = gradient.matmul(weight(frozen, gradient.dtype()));
    addProduct(ofX, ofLow, joined(parts).detach().to(gradient.dtype()), 1);
    return ofX;
  }

  private static Tensor weight(Layer frozen, DType dtype) {
    Tensor weight =
        frozen instanceof Linear linear
            ? linear.weight().value().detach()
            : ((QuantizedWeight) frozen).dequantized();
    return weight.to(dtype);
  }
}
