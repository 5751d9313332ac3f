package dev.jformer.run;

import dev.jformer.compress.CalibrationData;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** Calibration data: batches of a user's data, in the form that a model takes. */
public final class CalibrationBatches implements CalibrationData, AutoCloseable {
  static final int BATCH = 8;

  private final String source;
  private final Model like;
  private final ForwardPasses passes;
  private final Progress progress;
  private final int most;
  private final List<Batch> batches = new ArrayList<>();

  /** A batch: ids or images; the padding mask of ids, or null; classes or next ids, or null. */
  private record Batch(Tensor input, Tensor paddingMask, Tensor target) {}

  /**
   * Creates calibration data without batches.
   *
   * @param like a model of the family to calibrate
   * @param most the most batches to keep
   */
  CalibrationBatches(String source, Model like, ForwardPasses passes, int most, Progress progress) {
    this.source = source;
    this.like = like;
    this.passes = passes;
    this.most = most;
    this.progress = progress;
  }

  /** The most batches. */
  int most() {
    return most;
  }

  /** Receives how far the reading is. */
  Progress progress() {
    return progress;
  }

  /** Adds a batch, unless there are enough already. */
  void add(Tensor input, Tensor paddingMask, Tensor target) {
    if (batches.size() < most) {
      batches.add(new Batch(input.copy().keep(), kept(paddingMask), kept(target)));
    }
  }

  private static Tensor kept(Tensor tensor) {
    return tensor == null ? null : tensor.copy().keep();
  }

  /** Checks that there is at least one batch. */
  CalibrationBatches checked() {
    if (batches.isEmpty()) {
      throw new RunException(source + " is empty: expected data to calibrate with");
    }
    return this;
  }

  /** Computes the mean loss on the first batch. */
  @Override
  public Tensor loss(Model model) {
    Batch first = batches.get(0);
    if (first.target() == null) {
      return CalibrationData.super.loss(model);
    }
    return passes.loss(model, first.input(), first.paddingMask(), first.target());
  }

  @Override
  public Tensor loss(Model model, double temperature) {
    Batch first = batches.get(0);
    if (temperature == 1 || first.target() == null) {
      return loss(model);
    }
    return passes.loss(model, first.input(), first.paddingMask(), first.target(), temperature);
  }

  @Override
  public void run(Model model) {
    if (!like.getClass().isInstance(model)) {
      throw new IllegalArgumentException(
          source
              + " was read for "
              + like.config().noun()
              + ": it cannot calibrate "
              + model.config().noun());
    }
    try (Mode mode = Autograd.noGrad();
        Progress.Work work = progress.begin("calibrating", batches.size(), "batches")) {
      long done = 0;
      for (Batch batch : batches) {
        try (Scope scope = Scope.open()) {
          passes.forward(model, batch.input(), batch.paddingMask());
        }
        work.at(++done);
      }
    }
  }

  @Override
  public void close() {
    for (Batch batch : batches) {
      batch.input().close();
      if (batch.paddingMask() != null) {
        batch.paddingMask().close();
      }
      if (batch.target() != null) {
        batch.target().close();
      }
    }
  }
}
