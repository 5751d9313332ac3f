package dev.jformer.train;

import dev.jformer.data.image.ImageBatch;
import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.diffusion.DiffusionModel;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * The task of training a {@link DiffusionModel} on images. Noise, noise levels and the images whose
 * class is not told are drawn from the library's generator, whose state is in checkpoints.
 *
 * <p>The evaluation adds the same noise to the same images each time. The noise levels of the
 * images are spread evenly over those of training, so that the loss depends little on the draw.
 */
public final class DiffusionTraining implements Task {
  private static final long EVALUATION_SEED = 21;

  /** Multiples of the golden ratio, modulo 1, are spread evenly. */
  private static final double GOLDEN = (Math.sqrt(5) - 1) / 2;

  private static final Operator NORMAL_QUANTILE = Operator.named("aten::special_ndtri");

  private final DiffusionModel model;
  private final ImageSampler sampler;

  /** Creates a task. */
  public DiffusionTraining(DiffusionModel model, ImageSampler sampler) {
    this.model = model;
    this.sampler = sampler;
  }

  /** The number of training images. */
  public int trainingImages() {
    return sampler.trainingImages();
  }

  /** The number of held-out images. */
  public int heldOutImages() {
    return sampler.heldOutImages();
  }

  @Override
  public Tensor loss(long index) {
    ImageBatch batch = sampler.batch(index);
    Tensor images = inputs(batch.images(), model.config().channels());
    long count = images.size(0);
    Tensor sigma = model.config().edm().draw(count);
    Tensor noise = Tensor.randn(images.shape().toArray());
    Tensor dropped = Tensor.rand(count).lt(model.config().classDropout());
    Tensor labels = batch.targets().argmax(1).maskedFill(dropped, model.noClass());
    return model.loss(images, labels, sigma, noise);
  }

  /**
   * Turns pixels of images into the numbers that the model learns.
   *
   * @param pixels [B, 3, S, S], 0 to 1
   * @param channels 3, or 1 for their mean
   * @return [B, C, S, S], -1 to 1
   */
  public static Tensor inputs(Tensor pixels, int channels) {
    Tensor chosen = channels == 1 ? pixels.mean(1, true) : pixels;
    return chosen.mul(2.0).sub(1.0);
  }

  @Override
  public long unitsPerBatch() {
    return sampler.batch();
  }

  @Override
  public String unit() {
    return "images";
  }

  /** Measures the loss on the held-out images, all patches of them. */
  @Override
  public Metrics evaluate() {
    return evaluate(model, sampler::heldOut);
  }

  /**
   * Measures the loss on all images of a file.
   *
   * @param classes for each class of the file, its number in the model
   */
  public static Metrics evaluate(DiffusionModel model, ImageFile file, int[] classes) {
    boolean learning = model.isTraining();
    model.train(false);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor numbers = Tensor.of(classes).to(DType.INT64);
      return evaluate(
          model,
          each ->
              ImageSampler.all(
                  file, (images, labels) -> each.accept(images, numbers.indexSelect(0, labels))));
    } finally {
      model.train(learning);
    }
  }

  private static Metrics evaluate(
      DiffusionModel model, Consumer<BiConsumer<Tensor, Tensor>> batches) {
    try (Scope scope = Scope.open()) {
      Tensor before = Random.state();
      try {
        Random.seed(EVALUATION_SEED);
        double[] sums = new double[2];
        batches.accept(
            (pixels, labels) -> {
              Tensor images = inputs(pixels, model.config().channels());
              long count = images.size(0);
              Tensor sigma = model.config().edm().levels(spread((long) sums[1], count));
              Tensor noise = Tensor.randn(images.shape().toArray());
              sums[0] += count * model.loss(images, labels, sigma, noise).item();
              sums[1] += count;
            });
        return Metrics.of(Metric.lower(Metric.LOSS, sums[0] / sums[1], ""));
      } finally {
        Random.restore(before);
      }
    }
  }

  /** Normal quantiles of shares that are spread evenly, of images from number {@code first}. */
  private static Tensor spread(long first, long count) {
    double[] shares = new double[(int) count];
    for (int i = 0; i < count; i++) {
      shares[i] = (0.5 + (first + i) * GOLDEN) % 1;
    }
    return NORMAL_QUANTILE.call(Tensor.of(shares, count)).to(DType.FLOAT32);
  }
}
