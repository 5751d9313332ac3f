package dev.jformer.model.interleaved;

import dev.jformer.model.Block;
import dev.jformer.nn.Module;
import dev.jformer.nn.SequenceContext;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Tensor;
import java.util.List;

/** Local layers, and the global layers behind them with the exchange between both. */
final class Stage extends Module {
  private final List<Slot<Block>> local;
  private final Slot<Exchange> read;
  private final List<Slot<Block>> global;
  private final Slot<Exchange> write;

  /**
   * Creates a stage.
   *
   * @param read what latents read of tokens; null if there are no global layers, as is {@code
   *     write}, what tokens read of latents
   */
  Stage(List<Block> local, Exchange read, List<Block> global, Exchange write) {
    this.local = children("local", Block.class, local);
    this.read = read == null ? null : child("read", Exchange.class, read);
    this.global = children("global", Block.class, global);
    this.write = write == null ? null : child("write", Exchange.class, write);
  }

  List<Block> local() {
    return local.stream().map(Slot::get).toList();
  }

  List<Block> global() {
    return global.stream().map(Slot::get).toList();
  }

  boolean hasGlobal() {
    return read != null;
  }

  /**
   * Applies the local layers.
   *
   * @param x [N, n, D], groups
   * @param there bool [N, n], the places that hold a token; null if all do
   * @param masked whether layers have to be told
   */
  Tensor local(Tensor x, Tensor there, boolean masked) {
    Tensor h = x;
    try (SequenceContext tokens = SequenceContext.open(null, there)) {
      for (Slot<Block> block : local) {
        h = block.get().forward(h, masked ? there : null);
      }
    }
    return h;
  }

  /**
   * What latents read of the tokens of their groups.
   *
   * @param latents [N, m, W]
   * @param x [N, n, D]
   * @param there bool [N, n], the places that hold a token; null if all do
   */
  Tensor read(Tensor latents, Tensor x, Tensor there) {
    return read.get().forward(latents, x, there);
  }

  /**
   * Applies the global layers.
   *
   * @param latents [B, t m, W]
   * @param there bool [B, t m], those whose group holds a token; null if all do
   */
  Tensor global(Tensor latents, Tensor there) {
    Tensor h = latents;
    try (SequenceContext tokens = SequenceContext.open(null, there)) {
      for (Slot<Block> block : global) {
        h = block.get().forward(h, there);
      }
    }
    return h;
  }

  /** What tokens [N, T, D] read of latents [N, m, W]. */
  Tensor write(Tensor x, Tensor latents) {
    return write.get().forward(x, latents, null);
  }
}
