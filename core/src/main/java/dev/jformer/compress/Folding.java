package dev.jformer.compress;

import com.google.auto.service.AutoService;
import dev.jformer.model.Model;

/**
 * Folds what served training only, see {@link Fold}: of a model whose weights were trained as
 * powers of two or as factors it makes the one that is stored. Of any other it makes a copy. It
 * needs no data.
 */
@AutoService(Surgery.class)
public record Folding() implements Surgery {
  @Override
  public String type() {
    return "fold";
  }

  @Override
  public Needs needs() {
    return Needs.NOTHING;
  }

  @Override
  public Model operate(Model model, Calibration calibration) {
    Model folded = Fold.fold(model);
    folded.train(false);
    return folded;
  }
}
