package dev.jformer.adapt;

import dev.jformer.config.Checks;
import java.util.List;

/**
 * Settings that all kinds of adapters share.
 *
 * @param rank r, the rank of the update of each matrix
 * @param alpha numerator of the update's scale; 0 for twice the rank
 * @param dropout share of the inputs of the update that training sets to zero
 * @param targets names of the linear layers and convolutions to adapt, such as {@code mixer.qkv},
 *     with {@code *} for any characters; a number behind the name selects one of the matrices that
 *     a layer joins, as {@code mixer.qkv.0} does the queries. Empty for all of them in the blocks
 */
public record AdapterSettings(int rank, double alpha, double dropout, List<String> targets) {
  /** Defaults: rank 8 for all linear layers of the blocks, with a scale of 2. */
  public AdapterSettings() {
    this(8);
  }

  /** An adapter of this rank for all linear layers of the blocks, with a scale of 2. */
  public AdapterSettings(int rank) {
    this(rank, 0, 0, List.of());
  }

  /** Checks the values. */
  public AdapterSettings {
    Checks.atLeast("rank", rank, 1);
    Checks.check(
        alpha >= 0 && Double.isFinite(alpha), "alpha", alpha, "a finite number of at least 0");
    Checks.check(dropout >= 0 && dropout < 1, "dropout", dropout, "a share in [0, 1)");
    Checks.notNull("targets", targets);
    targets = List.copyOf(targets);
  }

  /** The numerator of the scale: alpha, or twice the rank. */
  public double effectiveAlpha() {
    return alpha == 0 ? 2.0 * rank : alpha;
  }
}
