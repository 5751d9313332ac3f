package dev.jformer.studies.generation;

import dev.jformer.model.diffusion.DiffusionModel;
import dev.jformer.model.diffusion.Masking;
import dev.jformer.nn.ScheduledModule;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Flops;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * The operations of matrix products in updates of a diffusion model, counted: three times those of
 * a forward pass.
 */
final class UpdateCost {
  private static final int PASSES = 3;

  private final Masking masking;
  private final double masked;
  private final double whole;

  UpdateCost(DiffusionModel.Config config, int batch) {
    this.masking = config.masking();
    Tensor random = Random.state();
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad();
        DiffusionModel model = config.build()) {
      this.masked = PASSES * Flops.of(() -> loss(model, batch));
      lastUpdates(model);
      this.whole = PASSES * Flops.of(() -> loss(model, batch));
    } finally {
      Random.restore(random);
    }
  }

  private static void lastUpdates(DiffusionModel model) {
    for (dev.jformer.nn.Module module : model.modules().values()) {
      if (module instanceof ScheduledModule scheduled) {
        scheduled.before(1, 1);
      }
    }
  }

  private static void loss(DiffusionModel model, int batch) {
    DiffusionModel.Config c = model.config();
    long[] shape = {batch, c.channels(), c.size(), c.size()};
    model.loss(
        Tensor.rand(shape),
        Tensor.zeros(DType.INT64, batch),
        c.edm().draw(batch),
        Tensor.randn(shape));
  }

  /** The operations of an update that leaves patches out. */
  double masked() {
    return masked;
  }

  /** The operations of an update with all patches. */
  double whole() {
    return whole;
  }

  /** The operations of a training. */
  double of(long updates) {
    if (masking.place() == Masking.Place.NONE) {
      return updates * whole;
    }
    long first = Math.round((1 - masking.finish()) * updates);
    return first * masked + (updates - first) * whole;
  }

  /** The number of updates that take about so many operations. */
  int updates(double operations) {
    return (int) Math.max(1, Math.round(operations / (of(10_000) / 10_000)));
  }
}
