package dev.jformer.compress.factorize;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.model.Model;
import dev.jformer.nn.Linear;
import dev.jformer.nn.factorized.LowRankLinear;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;

/**
 * Factorizes the linear layers of a model into two matrices of low rank by singular value
 * decomposition, which gives the best approximation of that rank. It is the baseline of DSFormer
 * (<a href="https://arxiv.org/abs/2312.13211">DSFormer: Effective Compression of Text-Transformers
 * by Dense-Sparse Weight Factorization</a>). It needs no data; the result can be trained further.
 *
 * @param factor the compression: bytes of the matrices over those of the factors
 */
@AutoService(Compression.class)
public record LowRank(double factor) implements Compression {
  private static final Operator DECOMPOSITION = Operator.named("aten::linalg_svd");

  /** Default: half of the bytes. */
  public LowRank() {
    this(2);
  }

  /** Checks the value. */
  public LowRank {
    new LowRankLinear.Config(factor);
  }

  @Override
  public String type() {
    return "low-rank";
  }

  @Override
  public Needs needs() {
    return Needs.NOTHING;
  }

  @Override
  public Model apply(Model model, CalibrationData calibration) {
    return apply(model, calibration, progress -> {});
  }

  @Override
  public Model apply(Model model, CalibrationData calibration, DoubleConsumer progress) {
    return ModelRebuilder.replaced(
        type(),
        model,
        new LowRankLinear.Config(factor),
        LowRankLinear.class,
        layers -> {
          Map<String, Linear> originals = ModelRebuilder.linears(model, layers);
          ModelRebuilder.each(
              layers, progress, (name, layer) -> fill(name, layer, originals.get(name)));
        });
  }

  private static void fill(String name, LowRankLinear layer, Linear original) {
    try (Scope scope = Scope.open()) {
      Tensor weight = original.weight().value().detach().to(DType.FLOAT64);
      if (!weight.isFinite().all()) {
        throw new IllegalArgumentException(
            "the layer " + name + " holds numbers that are not finite: the model is damaged");
      }
      List<Tensor> parts = DECOMPOSITION.callAll(weight, false);
      Tensor root = parts.get(1).narrow(0, 0, layer.rank()).sqrt();
      layer.up().copyFrom(parts.get(0).narrow(1, 0, layer.rank()).mul(root));
      layer.down().copyFrom(parts.get(2).narrow(0, 0, layer.rank()).mul(root.unsqueeze(1)));
    }
  }
}
