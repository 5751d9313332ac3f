package dev.jformer.train;

/**
 * Where a run stands, apart from its tensors.
 *
 * @param step updates done
 * @param bestLoss the lowest loss on held-out data so far
 * @param bestStep after which update
 * @param stale evaluations since then
 * @param lastLoss the latest loss on held-out data
 */
record Progress(long step, double bestLoss, long bestStep, int stale, double lastLoss) {
  Progress() {
    this(0, Double.MAX_VALUE, 0, 0, Double.MAX_VALUE);
  }

  Progress after(long newStep) {
    return new Progress(newStep, bestLoss, bestStep, stale, lastLoss);
  }

  Progress evaluated(double loss) {
    return loss < bestLoss
        ? new Progress(step, loss, step, 0, loss)
        : new Progress(step, bestLoss, bestStep, stale + 1, loss);
  }
}
