package dev.jformer.adapt;

import dev.jformer.config.Part;
import java.util.Map;

/**
 * A kind of adapter: a small update of a model's linear layers that is trained while the model
 * itself is frozen. It says where the updates begin; {@link Adapters} attaches them.
 */
public interface Adapter extends Part {
  /** The settings that all kinds share. */
  AdapterSettings settings();

  /** Whether this stands for training without an adapter. */
  default boolean isNone() {
    return false;
  }

  /** Whether {@link #begin} runs the model on data. */
  default boolean needsData() {
    return false;
  }

  /**
   * The factor of an update of the matrix, {@code scale · B A}.
   *
   * @param rank of the update of this matrix
   */
  default double scale(int rank) {
    return settings().effectiveAlpha() / rank;
  }

  /**
   * Whether the initial update is subtracted from the frozen weight, so that the model starts as it
   * was.
   */
  default boolean subtractsStart() {
    return false;
  }

  /**
   * Computes the initial updates.
   *
   * @param targets the matrices to adapt
   * @param data runs the model; null unless the adapter {@linkplain #needsData needs data}
   * @return the start of each target's update; a target without one gets no adapter
   * @throws IllegalArgumentException if the settings do not suit a matrix
   */
  Map<AdapterTarget, LowRankFactors> begin(Iterable<AdapterTarget> targets, AdaptationData data);
}
