package dev.jformer.compress;

import com.google.auto.service.AutoService;
import dev.jformer.model.Model;
import dev.jformer.nn.Roundable;
import dev.jformer.nn.WeightInt8Linear;

/**
 * The weights of linear layers and of the table of words in 8 bits, rounded to the nearest, and
 * activations as they are; see {@link WeightInt8Linear}. It needs no data. Of a sparse model it
 * rounds the values that there are, of one in dense-sparse factors bases and coefficients.
 */
@AutoService(Surgery.class)
public record WeightInt8() implements Surgery {
  @Override
  public String type() {
    return "weight-int8";
  }

  @Override
  public Needs needs() {
    return Needs.NOTHING;
  }

  @Override
  public Model operate(Model model, Calibration calibration) {
    return Exchange.projection(model) instanceof Roundable wide
        ? Exchange.narrowed(type(), model, wide)
        : Exchange.rounded(model, new WeightInt8Linear.Config());
  }
}
