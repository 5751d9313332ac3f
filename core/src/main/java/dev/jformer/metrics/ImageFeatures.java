package dev.jformer.metrics;

import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.nn.ForwardHook;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * The features of images for {@link FrechetDistance}: what the output layer of a classifier reads.
 *
 * @param classifier of images, which is put into inference mode
 */
public record ImageFeatures(ImageModel classifier) {
  private static final int TOGETHER = 250;
  private static final String HEAD = "head";

  /** Puts the classifier into inference mode. */
  public ImageFeatures {
    classifier.train(false);
  }

  /**
   * Computes the features of images.
   *
   * @param images [N, 3, S, S], or [N, 1, S, S] for grey ones; 0 to 1
   * @return [N, D]
   * @throws IllegalArgumentException if the images are not of the classifier's size
   */
  public Tensor of(Tensor images) {
    return Scope.tidy(
        () -> {
          List<Tensor> parts = new ArrayList<>();
          for (long from = 0; from < images.size(0); from += TOGETHER) {
            Tensor some = images.narrow(0, from, Math.min(TOGETHER, images.size(0) - from));
            parts.add(some(some.expand(-1, ImageModel.CHANNELS, -1, -1).contiguous()));
          }
          return Tensor.cat(0, parts.toArray(Tensor[]::new));
        });
  }

  /**
   * Computes the features of all images of a file.
   *
   * @return [N, D]
   */
  public Tensor of(ImageFile file) {
    List<Tensor> parts = new ArrayList<>();
    try {
      ImageSampler.all(file, (images, labels) -> parts.add(some(images).keep()));
      return Tensor.cat(0, parts.toArray(Tensor[]::new));
    } finally {
      parts.forEach(Tensor::close);
    }
  }

  private Tensor some(Tensor images) {
    List<Tensor> seen = new ArrayList<>();
    try (Mode mode = Autograd.noGrad();
        ForwardHook hook =
            ForwardHook.on(classifier, HEAD::equals, output -> seen.add(output.input()))) {
      classifier.logits(images);
    }
    return seen.get(0).contiguous();
  }
}
