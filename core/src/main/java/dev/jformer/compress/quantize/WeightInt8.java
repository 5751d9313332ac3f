package dev.jformer.compress.quantize;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.model.Model;
import dev.jformer.nn.quantized.Roundable;
import dev.jformer.nn.quantized.WeightInt8Linear;

/**
 * The weights of linear layers and of the table of words in 8 bits, rounded to the nearest, and
 * activations as they are; see {@link WeightInt8Linear}. It needs no data. Of a sparse model it
 * rounds the values that there are, of one in dense-sparse factors bases and coefficients.
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
