package dev.jformer.compress;

import com.google.auto.service.AutoService;
import dev.jformer.model.Model;

/**
 * Folding as a compression method; see {@link Fold}. It converts a model that was trained with
 * powers of two or factors to its stored form, and copies any other model. It needs no data.
 */
@AutoService(Compression.class)
public record Folding() implements Compression {
  @Override
  public String type() {
    return "fold";
  }

  @Override
  public Needs needs() {
    return Needs.NOTHING;
  }

  @Override
  public Model apply(Model model, CalibrationData calibration) {
    Model folded = Fold.fold(model);
    folded.train(false);
    return folded;
  }
}
