package dev.jformer.model.vision;

import dev.jformer.nn.BatchNorm;
import dev.jformer.nn.Convolution2d;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes tokens from patches of an image: [B, 3, S, S] to [B, (S/P)², D], row by row. It is a linear
 * map of each patch (<a href="https://arxiv.org/abs/2010.11929">An Image is Worth 16x16 Words:
 * Transformers for Image Recognition at Scale</a>), or a stack of 3x3 convolutions with stride 2,
 * each with batch normalisation and ReLU, and a last one of 1x1, whose receptive fields overlap (<a
 * href="https://arxiv.org/abs/2106.14881">Early Convolutions Help Transformers See Better</a>).
 */
final class PatchStem extends Layer {
  private final List<Slot<Layer>> convolutions;
  private final List<Slot<BatchNorm>> norms;
  private final Slot<Layer> last;

  PatchStem(VisionTransformer.Config config) {
    int patch = config.patch();
    int halvings = Integer.numberOfTrailingZeros(patch);
    List<Layer> steps = new ArrayList<>();
    List<BatchNorm> scales = new ArrayList<>();
    Initializer initializer = Initializer.uniformFanIn();
    if (config.stem() == VisionTransformer.Stem.LINEAR) {
      this.last =
          child(
              "patches",
              Layer.class,
              new Convolution2d(ImageModel.CHANNELS, config.width(), patch, patch, 0, initializer));
    } else {
      int in = ImageModel.CHANNELS;
      for (int i = 0; i < halvings; i++) {
        int out = Math.max(8, config.width() >> (halvings - 1 - i));
        steps.add(new Convolution2d(in, out, 3, 2, 1, initializer));
        scales.add(new BatchNorm(out));
        in = out;
      }
      this.last =
          child(
              "patches", Layer.class, new Convolution2d(in, config.width(), 1, 1, 0, initializer));
    }
    this.convolutions = children("convolutions", Layer.class, steps);
    this.norms = children("norms", BatchNorm.class, scales);
  }

  @Override
  public Tensor forward(Tensor images) {
    Tensor x = images;
    for (int i = 0; i < convolutions.size(); i++) {
      x = norms.get(i).get().images(convolutions.get(i).get().forward(x)).relu();
    }
    return last.get().forward(x).flatten(2, 3).transpose(1, 2);
  }
}
