package dev.jformer.studies.trial;

import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.run.ImageClassificationJob;
import dev.jformer.run.ImageData;
import dev.jformer.run.Recipe;
import dev.jformer.run.Training;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Trial;
import dev.jformer.train.ImageClassification;
import dev.jformer.train.Listener;
import dev.jformer.train.TrainingConfig;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * A trial that trains an image classifier on {@link Pictures}, with augmentation. The metric {@code
 * accuracy} is the accuracy on test images at the end.
 *
 * @param scale of the images
 * @param model configuration of the model; the number of classes is set to that of the images
 * @param training configuration of the training
 * @param smoothing label smoothing: the share of the target spread over the other classes
 * @param heldOut share of the images held out for validation
 * @param listener makes a listener for the model before training; may return null
 */
public record ImageTrial(
    Scale scale,
    ImageModel.Config model,
    TrainingConfig training,
    double smoothing,
    double heldOut,
    Function<? super ImageModel, ? extends Listener> listener)
    implements Trial<TrainingResult> {
  /** Creates a trial with 5 % of the images held out and no listener. */
  public ImageTrial(
      Scale scale, ImageModel.Config model, TrainingConfig training, double smoothing) {
    this(scale, model, training, smoothing, 0.05, built -> null);
  }

  /** Returns this trial with another share of the images held out. */
  public ImageTrial withHeldOut(double share) {
    return new ImageTrial(scale, model, training, smoothing, share, listener);
  }

  /** Returns this trial with a listener. */
  public ImageTrial withListener(Function<? super ImageModel, ? extends Listener> made) {
    return new ImageTrial(scale, model, training, smoothing, heldOut, made);
  }

  /**
   * The images of a trial.
   *
   * @param training images
   * @param test images
   * @param sampler of batches of training images
   */
  public record Images(ImageFile training, ImageFile test, ImageSampler sampler) {
    /** Returns the accuracy of a classifier on the test images, 0 to 1. */
    public double accuracy(ImageModel classifier) {
      int[] same = IntStream.range(0, training.header().classes().size()).toArray();
      return ImageClassification.evaluate(classifier, test, same).accuracy();
    }

    /**
     * Returns a classifier to compress, evaluated on the held-out images.
     *
     * @param first number of the first calibration batch
     * @param batches number of calibration batches
     */
    public Subject subject(ImageModel classifier, long first, int batches) {
      return Subject.images(classifier, sampler, first, batches, sampler);
    }
  }

  /** An {@link dev.jformer.studies.trial.Examination} that also gets the images. */
  public interface Examination<R> {
    /** Measures the model. */
    R of(ImageModel model, Images images, TrainingResult result);
  }

  @Override
  public Class<TrainingResult> kind() {
    return TrainingResult.class;
  }

  @Override
  public TrainingResult run(Session session) {
    return examine(
        session, (built, images, result) -> result.with("accuracy", images.accuracy(built)));
  }

  /** Returns a trial that trains in the same way and returns the result of an examination. */
  public <R extends Record> Trial<R> examined(Class<R> kind, Examination<R> examination) {
    return Trial.of(kind, session -> examine(session, examination));
  }

  /**
   * Trains once, as a trial that is {@link #examined}, and returns the result of the examination.
   */
  public <R> R examine(Session session, Examination<R> examination) {
    TrainingConfig seeded = training.withSeed(session.seed());
    try (Pictures pictures = new Pictures(scale);
        ImageFile file = pictures.training();
        ImageFile test = pictures.test()) {
      ImageData data = new ImageData().with(d -> d.validation(heldOut).smoothing(smoothing));
      ImageSampler sampler =
          new ImageSampler(file, heldOut, data.augmentation(), seeded.batch(), seeded.seed());
      return TrialTraining.run(
          Training.of(new Recipe(model, data, seeded), ImageClassificationJob.of(file)),
          ImageModel.class,
          session.progress(),
          listener,
          (built, result) -> examination.of(built, new Images(file, test, sampler), result));
    }
  }
}
