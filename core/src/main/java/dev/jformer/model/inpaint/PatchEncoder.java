package dev.jformer.model.inpaint;

import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Module;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Encodes each patch by itself, so that nothing of a hidden patch reaches the features of another
 * one: a linear layer, residual blocks of two linear layers with half the width between them, and a
 * linear layer. The paper has a second layer at the end.
 */
final class PatchEncoder extends Module {
  private final Slot<Layer> stem;
  private final List<Slot<Layer>> blocks;
  private final Slot<Layer> head;

  /**
   * Creates an encoder.
   *
   * @param values numbers in a patch
   */
  PatchEncoder(int values, Codec config) {
    int width = config.encoderWidth();
    this.stem = child("stem", Layer.class, linear(values, width));
    List<Layer> made = new ArrayList<>();
    for (int i = 0; i < config.encoderBlocks(); i++) {
      made.add(new Block(width));
    }
    this.blocks = children("blocks", Layer.class, made);
    this.head = child("head", Layer.class, linear(width, config.codeWidth()));
  }

  private static Linear linear(long in, long out) {
    return new Linear(in, out, true, Initializer.uniformFanIn());
  }

  /** [B, T, values] to features [B, T, E]. */
  Tensor forward(Tensor patches) {
    Tensor x = stem.get().forward(patches);
    for (Slot<Layer> block : blocks) {
      x = block.get().forward(x);
    }
    return head.get().forward(x.relu());
  }

  private static final class Block extends Layer {
    private final Slot<Layer> down;
    private final Slot<Layer> up;

    Block(int width) {
      this.down = child("down", Layer.class, linear(width, width / 2));
      this.up = child("up", Layer.class, linear(width / 2, width));
    }

    @Override
    public Tensor forward(Tensor x) {
      return x.add(up.get().forward(down.get().forward(x.relu()).relu()));
    }
  }
}
