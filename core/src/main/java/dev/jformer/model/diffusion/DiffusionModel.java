package dev.jformer.model.diffusion;

import dev.jformer.config.Checks;
import dev.jformer.model.Model;
import dev.jformer.model.vision.Framing;
import dev.jformer.tensor.Tensor;

/**
 * A model that predicts images of a class from noisy ones, with the preconditioning of {@link Edm};
 * {@link HeunSampler} makes images with it. Subclasses are the networks.
 */
public abstract class DiffusionModel extends Model {
  /** The name of the embeddings of the classes. */
  public static final String CLASSES = "condition.classes.weight";

  /** Configuration of a diffusion model. */
  public interface Config extends Model.Config {
    /** Height and width of the images. */
    int size();

    /** 3 for colours, 1 for grey. */
    int channels();

    /** K, the number of classes. */
    int classes();

    /** Share of the training images whose class is not told, for guidance. */
    double classDropout();

    /** Noise levels of training, and preconditioning. */
    Edm edm();

    /** How pictures become squares of this size. */
    Framing framing();

    /** What training leaves out; nothing, unless overridden. */
    default Masking masking() {
      return new Masking();
    }

    /** Checks the values that all have. */
    static void check(
        int size, int channels, int classes, double classDropout, Edm edm, Framing framing) {
      Checks.between("size", size, 1, 1 << 12);
      Checks.check(channels == 1 || channels == 3, "channels", channels, "1 for grey, or 3");
      Checks.between("classes", classes, 1, 1 << 20);
      Checks.probability("classDropout", classDropout);
      Checks.notNull("edm", edm);
      Checks.notNull("framing", framing);
    }

    /** Returns this configuration for another number of classes. */
    Config withClasses(int classes);

    @Override
    DiffusionModel build();
  }

  @Override
  public abstract Config config();

  /**
   * Computes the network's outputs, F of {@link Edm}.
   *
   * @param scaled noisy images with a variance of about 1, [B, C, S, S]
   * @param level what the network is told of the noise, ln σ / 4, [B]
   * @param labels int64 [B], the classes, {@link #noClass} for none
   * @return [B, C, S, S]
   */
  abstract Tensor network(Tensor scaled, Tensor level, Tensor labels);

  /** The class number that stands for none. */
  public final int noClass() {
    return config().classes();
  }

  /**
   * Predicts images from noisy ones.
   *
   * @param noisy [B, C, S, S]
   * @param sigma [B], the deviation of the noise of each
   * @param labels int64 [B], the classes, {@link #noClass} for none
   * @return [B, C, S, S]
   * @throws IllegalArgumentException if the images have another shape
   */
  public final Tensor denoise(Tensor noisy, Tensor sigma, Tensor labels) {
    check(noisy);
    return config().edm().denoise(noisy, sigma, (x, level) -> network(x, level, labels));
  }

  /** Checks the shape of images, [B, C, S, S]. */
  final void check(Tensor images) {
    int size = config().size();
    int channels = config().channels();
    if (images.rank() != 4
        || images.size(1) != channels
        || images.size(2) != size
        || images.size(3) != size) {
      throw new IllegalArgumentException(
          "images are "
              + images.shape()
              + ": expected [B, "
              + channels
              + ", "
              + size
              + ", "
              + size
              + "]");
    }
  }

  /**
   * A denoiser of images of some classes, for {@link HeunSampler}.
   *
   * @param labels int64 [B], the classes
   * @param guidance weight of the class: 1 as learned, more for images that are more typical
   */
  public final Denoiser denoiser(Tensor labels, double guidance) {
    Tensor none = labels.mul(0L).add((long) noClass());
    return Denoiser.guided(denoiser(labels), denoiser(none), guidance);
  }

  private Denoiser denoiser(Tensor labels) {
    return (noisy, sigma) ->
        denoise(noisy, Tensor.full(sigma, noisy.dtype(), noisy.size(0)), labels);
  }

  /**
   * Computes the loss of {@link Edm}, the mean over the images and their pixels.
   *
   * @param images [B, C, S, S], -1 to 1
   * @param labels int64 [B], {@link #noClass} for none
   * @param sigma [B], the noise levels
   * @param noise standard normal numbers, of the shape of the images
   * @return a scalar
   */
  public Tensor loss(Tensor images, Tensor labels, Tensor sigma, Tensor noise) {
    check(images);
    Tensor noisy = images.add(noise.mul(sigma.view(-1, 1, 1, 1)));
    return config().edm().losses(denoise(noisy, sigma, labels), images, sigma).mean();
  }
}
