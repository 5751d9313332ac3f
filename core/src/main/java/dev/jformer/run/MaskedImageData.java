package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.data.image.Augmentation;
import dev.jformer.data.image.RandomMasks;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * Configuration of images, parts of which are hidden at random.
 *
 * @param source a folder or zip file of images, in folders or not
 * @param validation share that is held out
 * @param augmentation random changes of the images in training; mixtures of images are refused
 * @param masks what is hidden
 */
@AutoService(DataConfig.class)
@RecordBuilder
public record MaskedImageData(
    String source, double validation, Augmentation augmentation, RandomMasks masks)
    implements DataConfig, MaskedImageDataBuilder.With {
  /** Defaults: a tenth held out, images as they are. */
  public MaskedImageData() {
    this("", 0.1, Augmentation.none(), new RandomMasks());
  }

  /** Checks the values. */
  public MaskedImageData {
    Checks.notNull("source", source);
    Checks.part("validation", validation);
    Checks.notNull("augmentation", augmentation);
    Checks.notNull("masks", masks);
    Checks.check(
        augmentation.mixup() == 0,
        "augmentation.mixup",
        augmentation.mixup(),
        "0, because a model would learn to make mixtures");
    Checks.check(
        augmentation.cutmix() == 0,
        "augmentation.cutmix",
        augmentation.cutmix(),
        "0, because a model would learn to make mixtures");
  }

  @Override
  public String type() {
    return "masked-images";
  }

  @Override
  public MaskedImageData withSource(String source) {
    return MaskedImageDataBuilder.With.super.withSource(source);
  }
}
