package dev.jformer.compress.quantize;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.compress.Folding;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.model.Model;
import dev.jformer.nn.Projection;
import dev.jformer.nn.shift.ShiftLinear;
import dev.jformer.nn.shift.ShiftLinear.Arithmetic;

/**
 * Stores the weights of linear layers as powers of two in 2 to 4 bits, as in <a
 * href="https://arxiv.org/abs/2208.09708">DenseShift: Towards Accurate and Transferable Low-Bit
 * Shift Network</a>. See {@link ShiftLinear}. A model that was trained this way, with the
 * projection {@code denseshift} or {@code shift-rounded}, computes the same, with the bits that it
 * was trained with; if a model is already stored this way, only the arithmetic changes. The weights
 * of a plain model are rounded to the nearest powers of two, without zero, which costs much quality
 * at 3 bits. It needs no data.
 *
 * @param bits bits of a weight of a plain model, 2 to 4
 * @param arithmetic how the layers compute products
 */
@AutoService(Compression.class)
public record DenseShift(int bits, Arithmetic arithmetic) implements Compression {
  /** Defaults: 4 bits, which weights need that were not trained this way. */
  public DenseShift() {
    this(4, Arithmetic.FLOATS);
  }

  /** Checks the values. */
  public DenseShift {
    new ShiftLinear.Config(bits, false, arithmetic);
  }

  @Override
  public String type() {
    return "denseshift";
  }

  @Override
  public Needs needs() {
    return Needs.NOTHING;
  }

  @Override
  public Model apply(Model model, CalibrationData calibration) {
    Projection projection = ModelRebuilder.projection(model);
    if (projection == null || !(projection.folded() instanceof ShiftLinear.Config)) {
      return ModelRebuilder.rounded(model, new ShiftLinear.Config(bits, false, arithmetic));
    }
    try (Model folded = new Folding().apply(model, calibration)) {
      return ModelRebuilder.rebuilt(
          folded,
          ModelRebuilder.withProjection(
              folded.config(),
              stored -> {
                ShiftLinear.Config config = (ShiftLinear.Config) stored;
                return new ShiftLinear.Config(config.bits(), config.zero(), arithmetic);
              }));
    }
  }
}
