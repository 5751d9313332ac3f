package dev.jformer.run;

import dev.jformer.compress.CalibrationData;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** Batches of a user's data, of the kind that a model takes, to calibrate with. */
public final class CalibrationBatches implements CalibrationData, AutoCloseable {
  static final int BATCH = 8;

  private final String source;
  private final Model like;
  private final ForwardPasses passes;
  private final Progress progress;
  private final int most;
  private final List<Batch> batches = new ArrayList<>();

  /** Ids or images; which of the ids are no padding, or null; classes or next ids, or null. */
  private record Batch(Tensor input, Tensor paddingMask, Tensor target) {}

  /**
   * No batches yet.
   *
   * @param like a model of the family that they are for
   * @param most how many are kept
   */
  CalibrationBatches(String source, Model like, ForwardPasses passes, int most, Progress progress) {
    this.source = source;
    this.like = like;
    this.passes = passes;
    this.most = most;
    this.progress = progress;
  }

  /** Keeps a batch if there is room. */
  void add(Tensor input, Tensor paddingMask, Tensor target) {
    if (batches.size() < most) {
      batches.add(new Batch(input.copy().keep(), kept(paddingMask), kept(target)));
    }
  }

  private static Tensor kept(Tensor tensor) {
    return tensor == null ? null : tensor.copy().keep();
  }

  /** These batches, of which there must be one. */
  CalibrationBatches checked() {
    if (batches.isEmpty()) {
      throw new RunException(source + " is empty: there is nothing to calibrate with");
    }
    return this;
  }

  /** The mean loss on the first batch. */
  @Override
  public Tensor loss(Model model) {
    Batch first = batches.get(0);
    if (first.target() == null) {
      return CalibrationData.super.loss(model);
    }
    return passes.loss(model, first.input(), first.paddingMask(), first.target());
  }

  @Override
  public void run(Model model) {
    if (!like.getClass().isInstance(model)) {
      throw new IllegalArgumentException(
          source
              + " was read for a "
              + like.config().type()
              + ": it cannot calibrate a "
              + model.config().type());
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
