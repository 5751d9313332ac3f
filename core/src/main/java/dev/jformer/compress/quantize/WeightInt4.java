package dev.jformer.compress.quantize;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.model.Model;
import dev.jformer.nn.quantized.WeightInt4Linear;

/**
 * Weight-only quantization to 4 bits: rounds the weights of linear layers and of the token
 * embedding to the nearest, in groups; see {@link WeightInt4Linear}. It needs no data.
 *
 * @param group number of adjacent values that share a scale: 32, 64 or 128
 */
@AutoService(Compression.class)
public record WeightInt4(int group) implements Compression {
  /** Default: groups of 64. */
  public WeightInt4() {
    this(new WeightInt4Linear.Config().group());
  }

  /** Checks the values. */
  public WeightInt4 {
    new WeightInt4Linear.Config(group);
  }

  @Override
  public String type() {
    return "weight-int4";
  }

  @Override
  public Needs needs() {
    return Needs.NOTHING;
  }

  @Override
  public Model apply(Model model, CalibrationData calibration) {
    return ModelRebuilder.rounded(model, new WeightInt4Linear.Config(group));
  }
}
