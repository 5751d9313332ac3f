package dev.jformer.data.label;

/**
 * A sequence and its labels, as a model reads them.
 *
 * @param tokens codes of tokens, at least one
 * @param labels the number of each token's label, {@link #NONE} for none; or one of the sequence as
 *     a whole
 * @param continues whether it goes on with the sequence before it: a piece of a long sentence
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record LabelledSequence(int[] tokens, int[] labels, boolean continues) {
  /** Stands for a token without a label. */
  public static final int NONE = -1;

  /** Creates a sequence that is whole. */
  public LabelledSequence(int[] tokens, int[] labels) {
    this(tokens, labels, false);
  }
}
