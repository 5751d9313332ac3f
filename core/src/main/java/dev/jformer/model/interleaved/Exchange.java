package dev.jformer.model.interleaved;

import dev.jformer.mixer.attention.CrossAttention;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Module;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Tensor;

/**
 * What latents read of tokens, or tokens of latents: cross-attention with a normalisation of its
 * own for either side, added to the reader, without a channel mixer.
 */
final class Exchange extends Module {
  private final Slot<Layer> norm;
  private final Slot<Layer> memoryNorm;
  private final Slot<CrossAttention> attention;

  /**
   * Creates an exchange between vectors of two widths; heads are as wide as the smaller one allows.
   *
   * @param context of the reader
   * @param memory width of what is read
   */
  Exchange(BlockContext context, int memory, int heads, Norm.Config norm) {
    this.norm = child("norm", Layer.class, norm.build(context.width()));
    this.memoryNorm = child("memoryNorm", Layer.class, norm.build(memory));
    this.attention =
        child(
            "attention",
            CrossAttention.class,
            new CrossAttention(heads, Math.min(context.width(), memory), memory, context));
  }

  /**
   * Adds what is read.
   *
   * @param x the readers, [N, T, D]
   * @param memory [N, S, M]
   * @param mask bool [N, S], false where the memory is padding; null if there is none
   * @return [N, T, D]
   */
  Tensor forward(Tensor x, Tensor memory, Tensor mask) {
    Tensor read = memoryNorm.get().forward(memory);
    return x.add(attention.get().forward(norm.get().forward(x), read, mask));
  }
}
