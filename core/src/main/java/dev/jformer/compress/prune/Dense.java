package dev.jformer.compress.prune;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.model.Model;

/**
 * Writes out the zeros of a sparse model, for what takes plain matrices only: other methods, or
 * other programs. It gives what it gave.
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
          "dense takes a model whose projection is 'sparse': this one's layers are another kind");
    }
    return Sparse.dense(model);
  }
}
