package dev.jformer.nn.temporal;

/**
 * Counts the spikes of all neurons that run in the calling thread while it is open, and the
 * additions that they cause.
 *
 * <pre>{@code
 * try (SpikeCount count = SpikeCount.open()) {
 *   model.logits(frames);
 *   System.out.println(count.rate());
 * }
 * }</pre>
 */
public final class SpikeCount implements AutoCloseable {
  private static final ThreadLocal<SpikeCount> OPEN = new ThreadLocal<>();

  private final SpikeCount outer = OPEN.get();
  private double spikes;
  private double steps;
  private double additions;

  private SpikeCount() {}

  /** Begins to count in the calling thread. A count within another one is not part of it. */
  public static SpikeCount open() {
    SpikeCount count = new SpikeCount();
    OPEN.set(count);
    return count;
  }

  static void add(double[] spikes, int synapses) {
    SpikeCount count = OPEN.get();
    if (count == null) {
      return;
    }
    double sum = 0;
    for (double spike : spikes) {
      sum += spike;
    }
    count.spikes += sum;
    count.steps += spikes.length;
    count.additions += sum * synapses;
  }

  /** The number of spikes. */
  public double spikes() {
    return spikes;
  }

  /** The share of neurons that fire in a step, 0 to 1. */
  public double rate() {
    return steps == 0 ? 0 : spikes / steps;
  }

  /** The number of weights that are added because a spike reaches a neuron of the next layer. */
  public double additions() {
    return additions;
  }

  @Override
  public void close() {
    if (outer == null) {
      OPEN.remove();
    } else {
      OPEN.set(outer);
    }
  }
}
