package dev.jformer.model;

import dev.jformer.mixer.reduction.TokenBatch;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Dropout;
import dev.jformer.nn.Identity;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Module;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Slot;
import dev.jformer.position.Position;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Blocks in which every token sees all others, with what comes before the first and after the last.
 */
public final class TransformerStack extends Module {
  private final long length;
  private final Slot<Position> position;
  private final Slot<Layer> inputNorm;
  private final Slot<Layer> dropout;
  private final List<Slot<Block>> blocks;
  private final Slot<Layer> norm;

  /**
   * A stack.
   *
   * @param length the longest sequence, in tokens
   * @param rows in how many rows the tokens stand; see {@link BlockContext}
   * @param inputNorm the normalisation of what enters the first block, after the positions
   */
  public TransformerStack(StackConfig config, int length, int rows, Norm.Config inputNorm) {
    this.length = length;
    BlockConfig parts = config.block();
    int width = config.width();
    int heads = parts.mixer().heads();
    if (width % heads != 0) {
      throw new IllegalArgumentException(
          "heads is " + heads + ": expected a divisor of the width " + width);
    }
    Position encoding = config.position().build(width, heads, width / heads, length);
    this.position = child("position", Position.class, encoding);
    this.inputNorm = child("inputNorm", Layer.class, inputNorm.build(width));
    this.dropout = child("dropout", Layer.class, new Dropout(parts.dropout()));
    List<Block> made = new ArrayList<>();
    for (int layer = 0; layer < config.layers(); layer++) {
      BlockContext site =
          new BlockContext(
              width,
              layer,
              config.layers(),
              length,
              false,
              parts.bias(),
              parts.dropout(),
              parts.init(),
              parts.projection(),
              rows);
      made.add(Block.of(site, parts, encoding));
    }
    this.blocks = children("blocks", Block.class, made);
    boolean last = parts.placement() == NormPlacement.PRE;
    this.norm = child("norm", Layer.class, last ? parts.norm().build(width) : new Identity());
  }

  public List<Block> blocks() {
    return blocks.stream().map(Slot::get).toList();
  }

  /**
   * The final hidden states.
   *
   * @param x [B, T, D], what each token is
   * @param paddingMask bool [B, T], false where a token is padding that no other may see; or null
   * @return fewer tokens, where the mixer lets some go
   * @throws IllegalArgumentException if a sequence is longer than the model can take
   */
  public TokenBatch forward(Tensor x, Tensor paddingMask) {
    if (x.size(1) > length && !position.get().extrapolates()) {
      throw new IllegalArgumentException(
          "a sequence of " + x.size(1) + " tokens is longer than the model's length " + length);
    }
    Tensor input = inputNorm.get().forward(position.get().embed(x, 0));
    TokenBatch h = new TokenBatch(dropout.get().forward(input), paddingMask, null);
    try (Position.Pass pass = position.get().pass()) {
      for (Slot<Block> block : blocks) {
        h = block.get().forward(h);
      }
    }
    return new TokenBatch(norm.get().forward(h.x()), h.paddingMask(), h.sizes());
  }
}
