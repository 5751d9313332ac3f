package dev.jformer.studies.generation;

import dev.jformer.data.image.Augmentation;
import dev.jformer.data.image.ImageFile;
import dev.jformer.hub.Models;
import dev.jformer.metrics.FrechetDistance;
import dev.jformer.metrics.ImageFeatures;
import dev.jformer.model.Model;
import dev.jformer.model.vision.VisionTransformer;
import dev.jformer.run.ImageClassificationJob;
import dev.jformer.run.ImageData;
import dev.jformer.run.PreparedData;
import dev.jformer.run.Recipe;
import dev.jformer.run.Training;
import dev.jformer.run.TrainingObserver;
import dev.jformer.run.TrainingOutcome;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.trial.Small;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.ImageClassification;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.DoubleConsumer;
import java.util.stream.IntStream;

/**
 * Judges made images by the Fréchet distance of their features from those of test images. The
 * features are what the output layer of a classifier reads, which learned the training images.
 */
final class ImageJudge implements AutoCloseable {
  private final VisionTransformer model;
  private final ImageFeatures features;
  private final Tensor real;
  private final double accuracy;

  private ImageJudge(VisionTransformer model, ImageFile test) {
    this.model = model;
    model.train(false);
    int[] same = IntStream.range(0, test.header().classes().size()).toArray();
    this.accuracy = ImageClassification.evaluate(model, test, same).accuracy();
    this.features = new ImageFeatures(model);
    this.real = features.of(test).keep();
  }

  /** Trains the classifier, or loads the one of an earlier session. */
  static ImageJudge of(ExperimentContext lab, String name, GreyImages images, int patch) {
    Path folder = lab.files(name);
    try {
      if (!Files.exists(folder.resolve("config.json"))) {
        Files.createDirectories(folder);
        lab.measure(
            name, Trained.class, progress -> train(lab, name, images, patch, folder, progress));
      }
      if (!Files.exists(folder.resolve("config.json"))) {
        train(lab, name, images, patch, folder, done -> {});
      }
      return new ImageJudge((VisionTransformer) Models.load(folder), images.test());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot keep the classifier", e);
    }
  }

  /** What is kept of the training. */
  record Trained(double loss) {}

  private static Trained train(
      ExperimentContext lab,
      String name,
      GreyImages images,
      int patch,
      Path folder,
      DoubleConsumer progress) {
    VisionTransformer.Config model =
        Small.vision(patch, lab.pick(1, 2, 4), lab.pick(16, 48, 128), 4)
            .with(c -> c.size(images.size()).classes(images.classes()));
    ImageData data = new ImageData().with(d -> d.validation(0.1).augmentation(Augmentation.none()));
    Recipe recipe =
        new Recipe(model, data, Small.training(lab.pick(5, 500, 4000), lab.pick(8, 64, 128), 1));
    try (PreparedData prepared = ImageClassificationJob.of(images.training())) {
      TrainingOutcome trained =
          Training.of(recipe, prepared)
              .withObserver(
                  new TrainingObserver() {
                    @Override
                    public void step(Step step) {
                      progress.accept((double) step.step() / step.steps());
                    }

                    @Override
                    public void ended(Model made, TrainingOutcome outcome) {
                      try {
                        Models.save(made, folder);
                      } catch (IOException e) {
                        throw new UncheckedIOException("cannot save the classifier " + name, e);
                      }
                    }
                  })
              .run();
      return new Trained(trained.last().loss());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot train the classifier " + name, e);
    }
  }

  /** The share of the test images that the classifier gets right. */
  double accuracy() {
    return accuracy;
  }

  /**
   * The Fréchet distance of images from the test images.
   *
   * @param images [N, 1, S, S], 0 to 1
   */
  double distance(Tensor images) {
    try (Scope scope = Scope.open()) {
      return FrechetDistance.of(features.of(images), real);
    }
  }

  /** The distance of training images from the test images, as far as one can get. */
  double distanceOf(ImageFile others, int count) {
    try (Scope scope = Scope.open()) {
      Tensor all = features.of(others);
      long step = Math.max(1, all.size(0) / count);
      long[] chosen =
          IntStream.range(0, (int) Math.min(count, all.size(0))).mapToLong(i -> i * step).toArray();
      return FrechetDistance.of(all.indexSelect(0, Tensor.of(chosen, chosen.length)), real);
    }
  }

  @Override
  public void close() {
    real.close();
    model.close();
  }
}
