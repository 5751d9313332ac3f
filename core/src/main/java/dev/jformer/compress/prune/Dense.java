package dev.jformer.compress.prune;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.model.Model;

/**
 * Converts a sparse model to plain matrices with zeros, for methods or programs that only support
 * these. The model computes the same.
 */
@AutoService(Compression.class)
public record Dense() implements Compression {
  @Override
  public String type() {
    return "dense";
  }

  @Override
  public Needs needs() {
    return Needs.NOTHING;
  }

  @Override
  public Model apply(Model model, CalibrationData calibration) {
    if (!Sparse.is(model)) {
      throw new IllegalArgumentException(
          "dense needs a model whose projection is 'sparse': this model's layers are of another kind");
    }
    return Sparse.dense(model);
  }
}
