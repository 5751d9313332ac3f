package dev.jformer.data.text;

import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * A batch of texts and their translations for models that predict all tokens at once, padded to the
 * longest.
 *
 * @param source int64 [B, S]
 * @param sourceMask bool [B, S], false at padding; null if there is none
 * @param target int64 [B, T]
 * @param targetMask bool [B, T], false at padding; null if there is none
 * @param places int64 [M], indices of those of the B T tokens that are not padding
 * @param targets int64 [M], these tokens
 * @param lengths int64 [B], the number of tokens of each translation
 */
public record DenoisingBatch(
    Tensor source,
    Tensor sourceMask,
    Tensor target,
    Tensor targetMask,
    Tensor places,
    Tensor targets,
    Tensor lengths) {
  /**
   * Pads pairs to one length.
   *
   * @param padding the id of padding
   */
  public static DenoisingBatch of(List<TokenPair> pairs, long padding) {
    TextBatch source = TextBatch.of(pairs.stream().map(TokenPair::source).toList(), padding);
    TextBatch target = TextBatch.of(pairs.stream().map(TokenPair::target).toList(), padding);
    Tensor places =
        target.paddingMask() == null
            ? Tensor.arange(0, target.ids().elements())
            : target.paddingMask().flatten(0, 1).nonzero().flatten(0, 1);
    long[] lengths = pairs.stream().mapToLong(pair -> pair.target().length).toArray();
    return new DenoisingBatch(
        source.ids(),
        source.paddingMask(),
        target.ids(),
        target.paddingMask(),
        places,
        target.ids().flatten(0, 1).indexSelect(0, places),
        Tensor.of(lengths, lengths.length));
  }

  /** The number M of tokens to predict. */
  public long tokens() {
    return places.elements();
  }

  /**
   * Replaces tokens by random ones: of each translation a share that is drawn from 0 to 1, each
   * token independently, by ids drawn from all with equal probability, its own among them.
   *
   * @param words the number of ids to draw from
   * @return int64 [B, T]; padding stays
   */
  public Tensor corrupted(long words) {
    long rows = target.size(0);
    long columns = target.size(1);
    Tensor wrong = Tensor.rand(rows, columns).lt(Tensor.rand(rows, 1));
    Tensor chosen = targetMask == null ? wrong : wrong.and(targetMask);
    return Tensor.randint(0, words, rows, columns).where(chosen, target);
  }

  /** This batch's target with other tokens at its {@link #places}: int64 [M] to [B, T]. */
  public Tensor with(Tensor tokens) {
    Tensor flat = target.flatten(0, 1).copy();
    return flat.indexCopy_(0, places, tokens).view(target.shape().toArray());
  }
}
