package dev.jformer.model.vision;

import dev.jformer.model.Model;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Tensor;

/**
 * An image classifier. It takes pixels from 0 to 1 and standardises them by the means and
 * deviations of the channels, which are stored with the weights.
 */
public abstract class ImageModel extends Model {
  /** The number of colour channels of an image. */
  public static final int CHANNELS = 3;

  /** Configuration of an image classifier. */
  public interface Config extends Model.Config {
    /** The height and width of the images in pixels. */
    int size();

    /** How pictures become squares of this size. */
    default Framing framing() {
      return new Framing();
    }

    /** The number of classes. */
    int classes();

    /** Returns this configuration for another number of classes. */
    Config withClasses(int classes);

    @Override
    ImageModel build();
  }

  private final Parameter mean;
  private final Parameter deviation;

  ImageModel() {
    this.mean = buffer("pixels.mean", Tensor.full(0.5, dev.jformer.tensor.DType.FLOAT32, CHANNELS));
    this.deviation =
        buffer("pixels.deviation", Tensor.full(0.25, dev.jformer.tensor.DType.FLOAT32, CHANNELS));
  }

  @Override
  public abstract Config config();

  /** Computes the logits of the classes [B, K] from standardised images [B, 3, S, S]. */
  abstract Tensor scores(Tensor images);

  /**
   * Sets the means and deviations of the channels.
   *
   * @param means [3]
   * @param deviations [3]
   */
  public final void standardise(Tensor means, Tensor deviations) {
    mean.copyFrom(means);
    deviation.copyFrom(deviations);
  }

  /**
   * Computes the logits of the classes.
   *
   * @param images [B, 3, S, S], 0 to 1
   * @return logits [B, K]
   * @throws IllegalArgumentException if the images have another shape
   */
  public final Tensor logits(Tensor images) {
    int size = config().size();
    if (images.rank() != 4
        || images.size(1) != CHANNELS
        || images.size(2) != size
        || images.size(3) != size) {
      throw new IllegalArgumentException(
          "images are " + images.shape() + ": expected [B, 3, " + size + ", " + size + "]");
    }
    Tensor centered = images.sub(mean.value().view(1, CHANNELS, 1, 1));
    return scores(centered.div(deviation.value().view(1, CHANNELS, 1, 1)));
  }

  @Override
  protected String details() {
    return String.format(
        java.util.Locale.ROOT,
        "images of %d x %d, %d classes",
        config().size(),
        config().size(),
        config().classes());
  }
}
