package dev.jformer.model.inpaint;

import dev.jformer.config.Checks;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * Configuration of a {@link PatchVqVae}.
 *
 * @param codes K, number of codes of visible patches, which the Transformer predicts
 * @param hiddenCodes number of codes of patches with hidden pixels
 * @param codeWidth E, numbers in a code
 * @param encoderWidth width of the encoder's layers
 * @param encoderBlocks residual blocks of the encoder
 * @param decoderWidth channels of the decoder at the resolution of the patches; half as many, but
 *     at least 16, with each doubling of the resolution
 * @param decoderBlocks residual blocks of the decoder at the resolution of the patches
 * @param commitment weight of the squared distance of features from their codes
 * @param edges weight of the difference of Sobel edges
 * @param decay of the moving averages that codes are
 * @param revival codes that are used less than this share of the mean of their half are replaced by
 *     features of the batch; 0 for never
 */
@RecordBuilder
public record Codec(
    int codes,
    int hiddenCodes,
    int codeWidth,
    int encoderWidth,
    int encoderBlocks,
    int decoderWidth,
    int decoderBlocks,
    double commitment,
    double edges,
    double decay,
    double revival)
    implements CodecBuilder.With {
  /** Defaults for small images. */
  public Codec() {
    this(256, 64, 64, 128, 4, 64, 2, 0.25, 1, 0.99, 0.03);
  }

  /** Checks the values. */
  public Codec {
    Checks.between("codes", codes, 1, 1 << 20);
    Checks.between("hiddenCodes", hiddenCodes, 1, 1 << 20);
    Checks.between("codeWidth", codeWidth, 1, 1 << 16);
    Checks.between("encoderWidth", encoderWidth, 2, 1 << 16);
    Checks.between("encoderBlocks", encoderBlocks, 0, 1000);
    Checks.between("decoderWidth", decoderWidth, 2, 1 << 16);
    Checks.between("decoderBlocks", decoderBlocks, 0, 1000);
    Checks.atLeast("commitment", commitment, 0.0);
    Checks.atLeast("edges", edges, 0.0);
    Checks.share("decay", decay);
    Checks.share("revival", revival);
  }
}
