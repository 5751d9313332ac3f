package dev.jformer.train;

import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.data.image.RandomMasks;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.inpaint.Put;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.SplittableRandom;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * The task of training the Transformer of a {@link Put}, whose codes are learned already ({@link
 * CodeLearning}), to predict the codes of hidden patches. The masks of a batch depend on its number
 * only; those of an evaluation are always the same.
 */
public final class InpaintingTraining implements Task {
  private static final long EVALUATION_SEED = 23;

  private final Put model;
  private final ImageSampler sampler;
  private final RandomMasks masks;
  private final long seed;

  /**
   * Creates a task.
   *
   * @param seed of the masks
   */
  public InpaintingTraining(Put model, ImageSampler sampler, RandomMasks masks, long seed) {
    this.model = model;
    this.sampler = sampler;
    this.masks = masks;
    this.seed = seed;
  }

  /** The model. */
  public Put model() {
    return model;
  }

  /** The images. */
  public ImageSampler sampler() {
    return sampler;
  }

  /** The masks. */
  public RandomMasks masks() {
    return masks;
  }

  /** The images of a batch, [B, C, S, S], -1 to 1. */
  Tensor images(long index) {
    return inputs(sampler.batch(index).images());
  }

  private Tensor inputs(Tensor pixels) {
    return DiffusionTraining.inputs(pixels, model.config().channels());
  }

  /** The random numbers of a batch's masks. */
  SplittableRandom random(long index) {
    return new SplittableRandom(seed * 0x9E3779B97F4A7C15L + index * 0xD1342543DE82EF95L + 1);
  }

  /** Masks for images: bool [B, 1, S, S], true for visible pixels. */
  Tensor visible(SplittableRandom random, Tensor images) {
    return masks.visible(random, (int) images.size(0), (int) images.size(2), (int) images.size(3));
  }

  @Override
  public Tensor loss(long index) {
    Tensor images = images(index);
    return model.predict(images, visible(random(index), images)).loss();
  }

  @Override
  public long unitsPerBatch() {
    return sampler.batch();
  }

  @Override
  public String unit() {
    return "images";
  }

  /** Measures loss and accuracy of the codes of hidden patches of the held-out images. */
  @Override
  public Metrics evaluate() {
    return evaluate(model, masks, each -> heldOut(each));
  }

  /** Passes the held-out images, [B, C, S, S], with their masks, batch by batch. */
  void heldOut(BiConsumer<Tensor, Tensor> each) {
    SplittableRandom random = new SplittableRandom(EVALUATION_SEED);
    sampler.heldOut(
        (pixels, labels) -> {
          Tensor images = inputs(pixels);
          each.accept(images, visible(random, images));
        });
  }

  /** Measures loss and accuracy on all images of a file. */
  public static Metrics evaluate(Put model, ImageFile file, RandomMasks masks) {
    boolean learning = model.isTraining();
    model.train(false);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      SplittableRandom random = new SplittableRandom(EVALUATION_SEED);
      return evaluate(
          model,
          masks,
          each ->
              ImageSampler.all(
                  file,
                  (pixels, labels) -> {
                    Tensor images = DiffusionTraining.inputs(pixels, model.config().channels());
                    int size = (int) images.size(2);
                    each.accept(images, masks.visible(random, (int) images.size(0), size, size));
                  }));
    } finally {
      model.train(learning);
    }
  }

  private static Metrics evaluate(
      Put model, RandomMasks masks, Consumer<BiConsumer<Tensor, Tensor>> batches) {
    double[] sums = new double[3];
    batches.accept(
        (images, visible) -> {
          try (Scope scope = Scope.open()) {
            Put.Prediction prediction = model.predict(images, visible);
            long count = prediction.hidden();
            sums[0] += count * prediction.loss().item();
            sums[1] += count;
            sums[2] += prediction.right();
          }
        });
    return Metrics.of(
        Metric.lower(Metric.LOSS, sums[0] / sums[1], "nats per hidden patch"),
        Metric.higher(Metric.ACCURACY, sums[2] / sums[1], ""));
  }
}
