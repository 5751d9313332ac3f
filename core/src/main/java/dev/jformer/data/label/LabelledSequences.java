package dev.jformer.data.label;

import dev.jformer.program.LabelScheme;
import java.util.List;

/** Sequences with labels, to learn from and to evaluate on. */
public interface LabelledSequences {
  /** What they consist of and how they are labelled. */
  LabelScheme scheme();

  /** The number of sequences in a batch. */
  int batch();

  /** The number of different sequences to learn from; 0 for an endless stream. */
  int samples();

  /** A batch to learn from; batches count from 0, and each depends on its number only. */
  List<LabelledSequence> training(long index);

  /** The sequences to evaluate on, none of which is learned from. */
  List<LabelledSequence> heldOut();

  /**
   * Typical sequences, by which a program is tabulated and shortened. None is held out.
   *
   * @param most how many at most
   */
  List<LabelledSequence> typical(int most);
}
