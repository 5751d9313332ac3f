package dev.jformer.train;

import dev.jformer.data.image.ImageBatch;
import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.metrics.ClassificationScores;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/** The task of training an image classifier. */
public final class ImageClassification implements Classifying {
  private final ImageModel model;
  private final ImageSampler sampler;
  private final double smoothing;

  /**
   * Creates a task.
   *
   * @param smoothing share of each target that is spread over all classes (label smoothing, <a
   *     href="https://arxiv.org/abs/1512.00567">Rethinking the Inception Architecture for Computer
   *     Vision</a>)
   */
  public ImageClassification(ImageModel model, ImageSampler sampler, double smoothing) {
    this.model = model;
    this.sampler = sampler;
    this.smoothing = smoothing;
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
  public Passes<ImageModel> passes(long index) {
    ImageBatch batch = sampler.batch(index);
    Tensor targets = batch.targets();
    if (smoothing > 0) {
      targets = targets.mul(1 - smoothing).add(smoothing / targets.size(1));
    }
    Tensor spread = targets;
    return new Passes<>(
        ImageModel.class,
        model,
        any -> any.logits(batch.images()).to(DType.FLOAT32),
        logits -> logits.logSoftmax(1).mul(spread).sum(1, false).mean().neg());
  }

  @Override
  public long unitsPerBatch() {
    return sampler.batch();
  }

  @Override
  public String unit() {
    return "images";
  }

  /** Measures mean cross-entropy and accuracy on the held-out images. */
  @Override
  public Metrics evaluate() {
    ClassificationScores scores = new ClassificationScores();
    sampler.heldOut((images, labels) -> scores.add(model.logits(images), labels));
    return scores.metrics();
  }

  /**
   * Measures a model on all images of a file.
   *
   * @param classes for each class of the file, its number in the model
   */
  public static ClassificationScores evaluate(ImageModel model, ImageFile file, int[] classes) {
    boolean learning = model.isTraining();
    model.train(false);
    try (Mode mode = Autograd.noGrad()) {
      ClassificationScores scores = new ClassificationScores();
      Tensor numbers = Tensor.of(classes).to(DType.INT64);
      ImageSampler.all(
          file,
          (images, labels) -> scores.add(model.logits(images), numbers.indexSelect(0, labels)));
      return scores;
    } finally {
      model.train(learning);
    }
  }

  /**
   * Computes the probabilities of the classes of one image, given by its pixels as {@code Picture}
   * returns them.
   */
  public static double[] probabilities(ImageModel model, byte[] pixels) {
    model.train(false);
    int size = model.config().size();
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor bytes = Tensor.of(pixels, 1, ImageModel.CHANNELS, size, size);
      Tensor image = bytes.viewAs(DType.UINT8).to(DType.FLOAT32).div(255);
      return model.logits(image).to(DType.FLOAT32).softmax(1).toDoubles();
    }
  }
}
