package dev.jformer.model.interleaved;

import dev.jformer.model.Block;
import dev.jformer.model.BlockConfig;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Position;
import java.util.ArrayList;
import java.util.List;

/**
 * What the layers of tokens have in common, or those of latents.
 *
 * @param parts of each layer
 * @param width of a token or latent
 * @param layers number of all layers of this side
 * @param length the most tokens that see each other
 * @param position shared by the layers
 */
record Side(
    BlockConfig parts, int width, int layers, int length, boolean causal, Position position) {
  /** The context of a layer, from 0. */
  BlockContext context(int layer) {
    return parts.context(width, layer, Math.max(1, layers), length, causal, 1);
  }

  /** Builds layers first … first + count - 1. */
  List<Block> blocks(int first, int count) {
    List<Block> made = new ArrayList<>();
    for (int layer = first; layer < first + count; layer++) {
      made.add(Block.of(context(layer), parts, position.ofLayer(layer)));
    }
    return made;
  }
}
