package dev.jformer.compress;

import com.google.auto.service.AutoService;
import dev.jformer.model.Model;

/**
 * Folds what served training only, see {@link Fold}: of a model whose weights were trained as
 * powers of two or as factors it makes the one that is stored. Of any other it makes a copy. It
 * needs no data.
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
