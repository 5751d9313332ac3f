package dev.jformer.data.image;

import dev.jformer.data.FrameSource;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.util.function.BiConsumer;

/**
 * Images as sequences of pixels, row by row: a frame is the grey of one pixel, 0 to 1.
 *
 * @param images the images, without augmentation
 * @param levels number of different greys
 */
public record PixelFrames(ImageSampler images, int levels) implements FrameSource {
  /**
   * The pixels of images as frames.
   *
   * @param images [B, 3, S, S], 0 to 1
   * @return [B, S², 1]
   */
  public static Tensor of(Tensor images, int levels) {
    int[][] greys = GreyPixels.of(images, levels);
    float[] frames = new float[greys.length * greys[0].length];
    for (int i = 0; i < frames.length; i++) {
      frames[i] = (float) greys[i / greys[0].length][i % greys[0].length] / (levels - 1);
    }
    return Tensor.of(frames, greys.length, greys[0].length, 1);
  }

  @Override
  public int training() {
    return images.trainingImages();
  }

  @Override
  public int heldOut() {
    return images.heldOutImages();
  }

  @Override
  public int batch() {
    return images.batch();
  }

  @Override
  public Batch batch(long number) {
    ImageBatch batch = images.batch(number);
    Tensor frames = of(batch.images().to(DType.FLOAT32), levels);
    return new Batch(frames, batch.targets().argmax(1));
  }

  @Override
  public void heldOut(BiConsumer<Tensor, Tensor> consumer) {
    images.heldOut((pixels, labels) -> consumer.accept(of(pixels, levels), labels));
  }
}
