package dev.jformer.data.image;

import dev.jformer.data.DataException;
import dev.jformer.data.Epochs;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BiConsumer;

/**
 * Splits images into training and held-out ones and draws batches. The same share of every class is
 * held out, drawn with a fixed seed.
 */
public final class ImageSampler {
  private static final long SPLIT_SEED = 20;
  private static final int EVALUATED_TOGETHER = 128;

  /** Number of images from which means and deviations are computed. */
  private static final int MEASURED = 4096;

  private final ImageFile file;
  private final Augmentation augmentation;
  private final long seed;
  private final int[] training;
  private final int[] heldOut;
  private final Epochs epochs;

  /**
   * Splits the images of a file.
   *
   * @param validation share of the images that is held out; 1 for all
   * @throws DataException if no image is left for training, or none is held out
   */
  public ImageSampler(
      ImageFile file, double validation, Augmentation augmentation, int batch, long seed) {
    this.file = file;
    this.augmentation = augmentation;
    this.seed = seed;
    List<Integer> learned = new ArrayList<>();
    List<Integer> held = new ArrayList<>();
    split(validation, learned, held);
    if (learned.isEmpty() || held.isEmpty()) {
      throw new DataException(
          file.count()
              + " images, of which a share of "
              + validation
              + " is held out, leave "
              + learned.size()
              + " for training and "
              + held.size()
              + " for validation: both need at least one (data.validation is the share held out)");
    }
    this.training = learned.stream().mapToInt(i -> i).toArray();
    this.heldOut = held.stream().mapToInt(i -> i).toArray();
    this.epochs = new Epochs(training.length, batch, seed);
  }

  private void split(double validation, List<Integer> learned, List<Integer> held) {
    List<List<Integer>> classes = new ArrayList<>();
    file.header().classes().forEach(name -> classes.add(new ArrayList<>()));
    List<Integer> labels = file.header().labels();
    for (int i = 0; i < labels.size(); i++) {
      classes.get(labels.get(i)).add(i);
    }
    SplittableRandom random = new SplittableRandom(SPLIT_SEED);
    for (List<Integer> images : classes) {
      java.util.Collections.shuffle(images, new java.util.Random(random.nextLong()));
      int count = (int) Math.round(validation * images.size());
      held.addAll(images.subList(0, count));
      learned.addAll(images.subList(count, images.size()));
    }
  }

  /** Number of training images. */
  public int trainingImages() {
    return training.length;
  }

  /** Number of images held out. */
  public int heldOutImages() {
    return heldOut.length;
  }

  /** Images in a batch. */
  public int batch() {
    return epochs.batch();
  }

  /** Mean of each channel of the training images, 0 to 1, then their standard deviations. */
  public Tensor[] channels() {
    int count = Math.min(MEASURED, training.length);
    int[] some = new int[count];
    for (int i = 0; i < count; i++) {
      some[i] = training[(int) ((long) i * training.length / count)];
    }
    Tensor pixels = file.pixels(some).transpose(0, 1).flatten(1, 3).to(DType.FLOAT32).div(255);
    Tensor deviation = pixels.variance(1, false).sqrt().clamp(1e-3, 1);
    return new Tensor[] {pixels.mean(1, false), deviation};
  }

  /** The batch with this number; it depends only on the seed and the number. */
  public ImageBatch batch(long number) {
    int[] chosen = epochs.chosen(number);
    int[] images = new int[chosen.length];
    for (int i = 0; i < images.length; i++) {
      images[i] = training[chosen[i]];
    }
    Augmenter augmenter =
        new Augmenter(augmentation, new SplittableRandom(seed * 0xD1342543DE82EF95L + number));
    return augmenter.mix(augmenter.apply(file.pixels(images)), targets(images));
  }

  private Tensor targets(int[] images) {
    Tensor labels = file.labels(images).unsqueeze(1);
    return Tensor.zeros(images.length, file.header().classes().size()).scatter(1, labels, 1.0);
  }

  /** Passes all held-out images, unaugmented, with their labels int64 [B], batch by batch. */
  public void heldOut(BiConsumer<Tensor, Tensor> consumer) {
    each(file, heldOut, consumer);
  }

  /** Passes all images of a file, in order, with their labels int64 [B], batch by batch. */
  public static void all(ImageFile file, BiConsumer<Tensor, Tensor> consumer) {
    int[] images = new int[file.count()];
    java.util.Arrays.setAll(images, i -> i);
    each(file, images, consumer);
  }

  private static void each(ImageFile file, int[] images, BiConsumer<Tensor, Tensor> consumer) {
    for (int from = 0; from < images.length; from += EVALUATED_TOGETHER) {
      int to = Math.min(images.length, from + EVALUATED_TOGETHER);
      int[] some = java.util.Arrays.copyOfRange(images, from, to);
      try (Scope scope = Scope.open()) {
        consumer.accept(file.pixels(some).to(DType.FLOAT32).div(255), file.labels(some));
      }
    }
  }
}
