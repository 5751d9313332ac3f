package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.data.image.Augmentation;

/**
 * The images that a classifier learns from.
 *
 * @param source a folder or zip file with a folder of images for each class
 * @param validation share of each class that is held out
 * @param augmentation what is done to images in training
 * @param smoothing share of each target that is spread over all classes
 */
@AutoService(DataConfig.class)
public record ImageData(
    String source, double validation, Augmentation augmentation, double smoothing)
    implements DataConfig {
  /** A tenth held out, shifts and mirroring. */
  public ImageData() {
    this("", 0.1, new Augmentation(), 0);
  }

  /** Checks the values. */
  public ImageData {
    if (!(validation > 0 && validation < 1)) {
      throw new IllegalArgumentException(
          "validation is " + validation + ": expected a share between 0 and 1");
    }
    if (!(smoothing >= 0 && smoothing < 1)) {
      throw new IllegalArgumentException(
          "smoothing is " + smoothing + ": expected a share in [0, 1)");
    }
  }

  @Override
  public String type() {
    return "images";
  }

  @Override
  public ImageData withSource(String other) {
    return new ImageData(other, validation, augmentation, smoothing);
  }
}
