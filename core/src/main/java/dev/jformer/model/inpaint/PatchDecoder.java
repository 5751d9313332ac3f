package dev.jformer.model.inpaint;

import dev.jformer.nn.Convolution2d;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Module;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Draws images from the codes of their patches, with what is visible of them: convolutions that
 * double the resolution until it is that of the pixels. A second branch, the reference, goes from
 * the visible pixels down to the resolution of the patches; at every resolution its features
 * replace those of the first one where all pixels are visible. So colours of visible pixels go
 * around the codes, and borders of hidden regions fit their surroundings.
 *
 * <p>The paper shrinks the mask by taking single pixels; here a place is visible if all of its
 * pixels are.
 */
final class PatchDecoder extends Module {
  private static final int FEWEST = 16;

  private final int patch;
  private final Slot<Layer> stem;
  private final List<Slot<Layer>> blocks;
  private final List<Slot<Layer>> up;
  private final Slot<Layer> head;
  private final Slot<Layer> reference;
  private final List<Slot<Layer>> down;

  /**
   * Creates a decoder.
   *
   * @param patch height and width of a patch, a power of two
   * @param channels of the images
   */
  PatchDecoder(int patch, int channels, Codec config) {
    this.patch = patch;
    int[] widths = widths(patch, config.decoderWidth());
    int last = widths.length - 1;
    this.stem = child("stem", Layer.class, convolution(config.codeWidth(), widths[0], 3, 1));
    List<Layer> residual = new ArrayList<>();
    for (int i = 0; i < config.decoderBlocks(); i++) {
      residual.add(new Block(widths[0]));
    }
    this.blocks = children("blocks", Layer.class, residual);
    List<Layer> rising = new ArrayList<>();
    List<Layer> falling = new ArrayList<>();
    for (int i = 0; i < last; i++) {
      rising.add(convolution(widths[i], widths[i + 1], 3, 1));
      falling.add(convolution(widths[i + 1], widths[i], 4, 2));
    }
    this.up = children("up", Layer.class, rising);
    this.head = child("head", Layer.class, convolution(widths[last], channels, 3, 1));
    this.reference = child("reference", Layer.class, convolution(channels, widths[last], 3, 1));
    this.down = children("down", Layer.class, falling);
  }

  /** Channels at each resolution, from that of the patches to that of the pixels. */
  private static int[] widths(int patch, int width) {
    int[] widths = new int[Integer.numberOfTrailingZeros(patch) + 1];
    for (int i = 0; i < widths.length; i++) {
      widths[i] = i == 0 ? width : Math.min(widths[i - 1], Math.max(FEWEST, width >> i));
    }
    return widths;
  }

  private static Layer convolution(int in, int out, int kernel, int stride) {
    return new Convolution2d(in, out, kernel, stride, 1, Initializer.uniformFanIn());
  }

  /**
   * Draws images.
   *
   * @param codes [B, E, H / P, W / P]
   * @param shown the images with 0 for hidden pixels, [B, C, H, W]
   * @param visible 1 for visible pixels and 0 for hidden ones, [B, 1, H, W]
   * @return [B, C, H, W]
   */
  Tensor forward(Tensor codes, Tensor shown, Tensor visible) {
    List<Tensor> references = references(shown);
    Tensor x = stem.get().forward(codes);
    for (Slot<Layer> block : blocks) {
      x = block.get().forward(x);
    }
    for (int i = 0; ; i++) {
      Tensor there = allVisible(visible, patch >> i);
      x = x.add(references.get(i).sub(x).mul(there));
      if (i == up.size()) {
        return head.get().forward(x.relu());
      }
      Tensor larger = x.relu().repeatInterleave(2, 2).repeatInterleave(2, 3);
      x = up.get(i).get().forward(larger);
    }
  }

  /** Features of the visible pixels at each resolution, from that of the patches. */
  private List<Tensor> references(Tensor shown) {
    List<Tensor> found = new ArrayList<>();
    Tensor x = reference.get().forward(shown);
    found.add(x);
    for (int i = down.size() - 1; i >= 0; i--) {
      x = down.get(i).get().forward(x.relu());
      found.add(0, x);
    }
    return found;
  }

  /** 1 for squares of so many pixels a side that are visible as a whole, else 0. */
  static Tensor allVisible(Tensor visible, int side) {
    if (side == 1) {
      return visible;
    }
    return visible
        .unflatten(2, visible.size(2) / side, side)
        .min(3, false)
        .unflatten(3, visible.size(3) / side, side)
        .min(4, false);
  }

  private static final class Block extends Layer {
    private final Slot<Layer> first;
    private final Slot<Layer> second;

    Block(int width) {
      this.first = child("first", Layer.class, convolution(width, width / 2, 3, 1));
      this.second =
          child(
              "second",
              Layer.class,
              new Convolution2d(width / 2, width, 1, 1, 0, Initializer.uniformFanIn()));
    }

    @Override
    public Tensor forward(Tensor x) {
      return x.add(second.get().forward(first.get().forward(x.relu()).relu()));
    }
  }
}
