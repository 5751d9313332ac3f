package dev.jformer.model;

import dev.jformer.testing.Loops;
import java.util.function.UnaryOperator;

/** The definition of a block with its norms in each of their places. */
final class NaiveBlock {
  /** A norm of a name. */
  interface Norms {
    double[][] of(double[][] x, String name);
  }

  private final NormPlacement placement;
  private final Norms norms;

  NaiveBlock(NormPlacement placement, Norms norms) {
    this.placement = placement;
    this.norms = norms;
  }

  /** Transforms x by two parts, whose norms begin with {@code prefix}. */
  double[][] forward(
      double[][] x, String prefix, UnaryOperator<double[][]> mixer, UnaryOperator<double[][]> ffn) {
    if (placement == NormPlacement.PARALLEL) {
      double[][] mixed = mixer.apply(norms.of(x, prefix + "mixerNorm"));
      double[][] made = ffn.apply(norms.of(x, prefix + "ffnNorm"));
      return Loops.add(Loops.add(x, mixed), made);
    }
    return part(part(x, prefix + "mixer", mixer), prefix + "ffn", ffn);
  }

  /** Adds what one part makes of x. */
  double[][] part(double[][] x, String name, UnaryOperator<double[][]> part) {
    return switch (placement) {
      case PRE -> Loops.add(x, part.apply(norms.of(x, name + "Norm")));
      case POST -> norms.of(Loops.add(x, part.apply(x)), name + "Norm");
      case SANDWICH ->
          Loops.add(x, norms.of(part.apply(norms.of(x, name + "Norm")), name + "OutputNorm"));
      case PARALLEL -> throw new IllegalArgumentException("its parts do not follow each other");
    };
  }

  /** The norm behind the last block. */
  double[][] last(double[][] x, String name) {
    return placement == NormPlacement.POST ? x : norms.of(x, name);
  }
}
