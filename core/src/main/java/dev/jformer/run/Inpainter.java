package dev.jformer.run;

import dev.jformer.hub.Models;
import dev.jformer.model.Model;
import dev.jformer.model.inpaint.Put;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.LongConsumer;

/**
 * A trained model that fills in hidden parts of images. Threads may share it: one fills in at a
 * time, the others wait.
 *
 * <pre>{@code
 * try (Inpainter inpainter = Inpainter.load(Path.of("runs/photos"))) {
 *   Tensor fills = inpainter.fill(image, hidden, 5, new InpaintingSettings());
 *   Files.write(Path.of("fills.png"), ImageGrid.png(fills, 5, 4));
 * }
 * }</pre>
 */
public final class Inpainter implements AutoCloseable {
  private static final int TOGETHER = 64;

  private final Put model;

  private Inpainter(Put model) {
    this.model = model;
  }

  /**
   * Loads a model.
   *
   * @throws RunException if the folder holds another kind of model
   */
  public static Inpainter load(Path folder) throws IOException {
    OutputFolder.repair(folder);
    Model loaded = Models.load(folder);
    try {
      if (!(loaded instanceof Put put)) {
        throw new RunException(
            folder
                + " holds "
                + loaded.config().noun()
                + ": expected a model that fills in images, of 'jformer train --task inpainting'");
      }
      loaded.train(false);
      return new Inpainter(put);
    } catch (RuntimeException | Error e) {
      loaded.close();
      throw e;
    }
  }

  /** The model. */
  public Put model() {
    return model;
  }

  /**
   * Fills in an image in several ways.
   *
   * @param image [3, H, W], 0 to 1
   * @param hidden bool [H, W], true for pixels to fill in
   * @param count N, how many ways
   * @return [N, 3, H, W]; visible pixels are those of the image, to the bit
   * @throws RunException if the mask has another size, hides nothing or all, or the image does not
   *     suit the model
   */
  public Tensor fill(Tensor image, Tensor hidden, int count, InpaintingSettings settings) {
    return fill(image, hidden, count, settings, done -> {});
  }

  /**
   * Fills in an image, showing progress.
   *
   * @param progress called with the number of passes done of {@link #passes}
   */
  public synchronized Tensor fill(
      Tensor image, Tensor hidden, int count, InpaintingSettings settings, LongConsumer progress) {
    check(image, hidden);
    if (count < 1) {
      throw new RunException("the count is " + count + ": expected at least one fill");
    }
    Tensor visible = hidden.not().view(1, 1, hidden.size(0), hidden.size(1));
    long passes = model.passes(visible);
    List<Tensor> made = new ArrayList<>();
    for (int from = 0; from < count; from += TOGETHER) {
      int some = Math.min(TOGETHER, count - from);
      long before = made.size() * passes;
      int first = from;
      made.add(
          Scope.tidy(
              () ->
                  of(
                      model,
                      image.unsqueeze(0).expand(some, -1, -1, -1),
                      visible.expand(some, -1, -1, -1),
                      settings,
                      first,
                      done -> progress.accept(before + done))));
    }
    return Tensor.cat(0, made.toArray(Tensor[]::new));
  }

  /** The number of passes that filling in an image takes, for progress. */
  public long passes(Tensor hidden, int count) {
    Tensor visible = hidden.not().view(1, 1, hidden.size(0), hidden.size(1));
    return model.passes(visible) * ((count + TOGETHER - 1) / TOGETHER);
  }

  /**
   * Checks an image and its mask before they are filled in.
   *
   * @throws RunException as {@link #fill(Tensor, Tensor, int, InpaintingSettings)} does
   */
  public void check(Tensor image, Tensor hidden) {
    long height = image.size(1);
    long width = image.size(2);
    if (hidden.size(0) != height || hidden.size(1) != width) {
      throw new RunException(
          "the mask is of "
              + hidden.size(1)
              + " x "
              + hidden.size(0)
              + " pixels, the image of "
              + width
              + " x "
              + height
              + ": expected a mask of the image's size");
    }
    if (!hidden.any() || hidden.all()) {
      throw new RunException(
          "the mask hides "
              + (hidden.any() ? "all pixels" : "no pixel")
              + ": expected white where the image is to be filled in, and black elsewhere");
    }
    int patch = model.config().patch();
    int size = model.config().size();
    if (height % patch != 0 || width % patch != 0 || Math.max(height, width) > size) {
      throw new RunException(
          "the image is of "
              + width
              + " x "
              + height
              + " pixels: expected sides that are multiples of "
              + patch
              + " and at most "
              + size
              + ", as the model learned; scale or cut the image and its mask");
    }
  }

  /**
   * Fills in images with a model in inference mode.
   *
   * @param images [B, 3, H, W], 0 to 1
   * @param visible bool [B, 1, H, W]
   * @param first number of the first image's draws
   * @return [B, 3, H, W], 0 to 1; visible pixels are those of the images, to the bit
   * @throws RunException if what the model makes is no number, as with weights that diverged
   */
  static Tensor of(
      Put model,
      Tensor images,
      Tensor visible,
      InpaintingSettings settings,
      long first,
      LongConsumer progress) {
    List<SplittableRandom> draws = new ArrayList<>();
    for (long i = 0; i < images.size(0); i++) {
      draws.add(ImageDraws.of(settings.seed(), first + i));
    }
    Tensor chosen = model.config().channels() == 1 ? images.mean(1, true) : images;
    Tensor numbers = chosen.to(DType.FLOAT32).mul(2.0).sub(1.0);
    Tensor filled = model.fill(numbers, visible, settings.sampler(), draws, progress);
    Tensor colours = filled.add(1.0).mul(0.5).clamp(0, 1).to(images.dtype());
    if (Double.isNaN(colours.sum().item())) {
      throw new RunException(
          "the model makes pixels of NaN: its training has diverged, or its weights are broken");
    }
    return images.where(visible, colours.expand(-1, 3, -1, -1));
  }

  /** Releases the model. */
  @Override
  public synchronized void close() {
    model.close();
  }
}
