package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.data.image.Augmentation;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * Configuration of the images that a classifier is trained on.
 *
 * @param source a folder or zip file with a folder of images for each class
 * @param validation share of each class that is held out
 * @param augmentation random changes of the images in training
 * @param smoothing share of each target that is spread over all classes (label smoothing)
 */
@AutoService(DataConfig.class)
@RecordBuilder
public record ImageData(
    String source, double validation, Augmentation augmentation, double smoothing)
    implements DataConfig, ImageDataBuilder.With {
  /** Defaults: a tenth held out, shifts and mirroring. */
  public ImageData() {
    this("", 0.1, new Augmentation(), 0);
  }

  /** Checks the values. */
  public ImageData {
    Checks.part("validation", validation);
    Checks.share("smoothing", smoothing);
  }

  @Override
  public String type() {
    return "images";
  }

  @Override
  public ImageData withSource(String source) {
    return ImageDataBuilder.With.super.withSource(source);
  }
}
