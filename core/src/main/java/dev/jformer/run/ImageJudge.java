package dev.jformer.run;

import dev.jformer.data.image.ImageFile;
import dev.jformer.hub.Models;
import dev.jformer.metrics.FrechetDistance;
import dev.jformer.metrics.ImageFeatures;
import dev.jformer.metrics.Metric;
import dev.jformer.model.Model;
import dev.jformer.model.diffusion.DiffusionModel;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A trained classifier that judges the images of a diffusion model. */
final class ImageJudge implements AutoCloseable {
  private final ImageJudging settings;
  private final ImageModel classifier;

  private ImageJudge(ImageJudging settings, ImageModel classifier) {
    this.settings = settings;
    this.classifier = classifier;
  }

  /**
   * Loads the classifier.
   *
   * @param size of the images that it is to judge
   * @throws RunException if the folder holds another kind of model, or one for another size
   */
  static ImageJudge load(ImageJudging settings, int size) throws IOException {
    Path folder = settings.judge();
    Model loaded = Models.load(folder);
    try {
      if (!(loaded instanceof ImageModel classifier)) {
        throw new RunException(
            "the judge in "
                + folder
                + " is "
                + loaded.config().noun()
                + ": expected a classifier of images, of 'jformer train --task images'");
      }
      if (classifier.config().size() != size) {
        throw new RunException(
            "the judge in "
                + folder
                + " takes images of "
                + classifier.config().size()
                + " pixels a side, but the model makes "
                + size
                + ": train a judge with --set model.size="
                + size);
      }
      return new ImageJudge(settings, classifier);
    } catch (RuntimeException | Error e) {
      loaded.close();
      throw e;
    }
  }

  /**
   * Makes images and measures how far they are from those of a file.
   *
   * @param numbers for each class of the file, its number in the model
   */
  Metric judge(DiffusionModel model, ImageFile file, int[] numbers, Progress progress) {
    try (Scope scope = Scope.open()) {
      ImageFeatures features = new ImageFeatures(classifier);
      Tensor real = features.of(file);
      requireEnough(real);
      ImageSampling sampling = new ImageSampling(new ImageSampling().steps(), 1, settings.seed());
      int[] labels = labels(file.header().labels(), numbers);
      List<Tensor> made = new ArrayList<>();
      try (Progress.Work work =
          progress.begin("making images", ImageGenerator.steps(labels.length, sampling), "steps")) {
        ImageGenerator.each(
            model,
            labels,
            sampling,
            work::at,
            images -> made.add(features.of(requireFinite(images)).keep()));
        Tensor all = Tensor.cat(0, made.toArray(Tensor[]::new));
        return Metric.lower("frechetDistance", FrechetDistance.of(all, real), "");
      } finally {
        made.forEach(Tensor::close);
      }
    }
  }

  private static Tensor requireFinite(Tensor images) {
    if (!images.isFinite().all()) {
      throw new RunException(
          "the model makes images of NaN: its training has diverged, or its weights are broken");
    }
    return images;
  }

  /** A covariance of D features of at most D images has no full rank. */
  private void requireEnough(Tensor real) {
    long width = real.size(1);
    String reason = "the judge has " + width + " features, whose covariance takes more images: ";
    if (settings.count() <= width) {
      throw new RunException(
          reason
              + "the count of images to make is "
              + settings.count()
              + ", expected at least "
              + (width + 1));
    }
    if (real.size(0) <= width) {
      throw new RunException(
          reason + "the data has " + real.size(0) + ", expected at least " + (width + 1));
    }
  }

  /** Classes of the images to make, in the shares of the real ones. */
  private int[] labels(List<Integer> real, int[] numbers) {
    int[] labels = new int[settings.count()];
    for (int i = 0; i < labels.length; i++) {
      labels[i] = numbers[real.get((int) ((long) i * real.size() / labels.length))];
    }
    return labels;
  }

  @Override
  public void close() {
    classifier.close();
  }
}
