package dev.jformer.compress;

import com.google.auto.service.AutoService;
import dev.jformer.model.Model;

/**
 * Converts a model that was trained with powers of two or with factors to the form in which such
 * weights are stored, by {@link Fold}. It copies any other model, and needs no data.
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
