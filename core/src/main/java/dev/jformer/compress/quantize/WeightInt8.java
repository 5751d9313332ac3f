package dev.jformer.compress.quantize;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.model.Model;
import dev.jformer.nn.quantized.Roundable;
import dev.jformer.nn.quantized.WeightInt8Linear;

/**
 * Weight-only quantization to 8 bits: rounds the weights of linear layers and of the token
 * embedding to the nearest; see {@link WeightInt8Linear}. It needs no data. In a sparse model it
 * rounds the nonzero values, in one with dense-sparse factors the bases and coefficients.
 */
@AutoService(Compression.class)
public record WeightInt8() implements Compression {
  @Override
  public String type() {
    return "weight-int8";
  }

  @Override
  public Needs needs() {
    return Needs.NOTHING;
  }

  @Override
  public Model apply(Model model, CalibrationData calibration) {
    return ModelRebuilder.projection(model) instanceof Roundable wide
        ? ModelRebuilder.narrowed(type(), model, wide)
        : ModelRebuilder.rounded(model, new WeightInt8Linear.Config());
  }
}
