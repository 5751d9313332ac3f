package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * Configuration of images that an encoder reads as sequences of grey pixels, row by row.
 *
 * @param source a folder or zip file with a folder of images for each class
 * @param validation share of each class that is held out
 * @param side rows and columns that images are scaled to; sequences have side² tokens
 * @param levels number of different greys, each of which is a token
 */
@AutoService(DataConfig.class)
@RecordBuilder
public record PixelData(String source, double validation, int side, int levels)
    implements DataConfig, PixelDataBuilder.With {
  /** Defaults: 16 x 16 pixels of 16 greys, a tenth held out. */
  public PixelData() {
    this("", 0.1, 16, 16);
  }

  /** Checks the values. */
  public PixelData {
    Checks.part("validation", validation);
    Checks.between("side", side, 2, 256);
    Checks.between("levels", levels, 2, 256);
  }

  @Override
  public String type() {
    return "pixels";
  }

  @Override
  public PixelData withSource(String source) {
    return PixelDataBuilder.With.super.withSource(source);
  }
}
