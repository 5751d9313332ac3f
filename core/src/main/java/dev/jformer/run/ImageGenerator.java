package dev.jformer.run;

import dev.jformer.config.Nearest;
import dev.jformer.hub.Models;
import dev.jformer.model.Model;
import dev.jformer.model.diffusion.Denoiser;
import dev.jformer.model.diffusion.DiffusionModel;
import dev.jformer.model.diffusion.HeunSampler;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/**
 * A trained diffusion model, which makes images of a class. Threads may share it: one makes images
 * at a time, the others wait.
 *
 * <pre>{@code
 * try (ImageGenerator generator = ImageGenerator.load(Path.of("runs/digits"))) {
 *   Tensor images = generator.generate(generator.number("3"), 16, new ImageSampling());
 *   Files.write(Path.of("grid.png"), ImageGrid.png(images, 4, 8));
 * }
 * }</pre>
 */
public final class ImageGenerator implements AutoCloseable {
  private static final int TOGETHER = 64;

  private final DiffusionModel model;
  private final ClassNames classes;

  private ImageGenerator(DiffusionModel model, ClassNames classes) {
    this.model = model;
    this.classes = classes;
  }

  /**
   * Loads a model.
   *
   * @param folder with the model and the names of its classes
   * @throws RunException if the folder holds another kind of model
   */
  public static ImageGenerator load(Path folder) throws IOException {
    OutputFolder.repair(folder);
    Model loaded = Models.load(folder);
    try {
      if (!(loaded instanceof DiffusionModel diffusion)) {
        throw new RunException(
            folder
                + " holds "
                + loaded.config().noun()
                + ": expected a model that makes images, of 'jformer train --task diffusion'");
      }
      loaded.train(false);
      return new ImageGenerator(diffusion, ClassNames.load(folder, diffusion.config().classes()));
    } catch (RuntimeException | Error e) {
      loaded.close();
      throw e;
    }
  }

  /** The names of the classes, in the model's order. */
  public List<String> labels() {
    return classes.classes();
  }

  /** The model. */
  public DiffusionModel model() {
    return model;
  }

  /**
   * Finds the number of a class.
   *
   * @param name a class's name, or its number from 0 if no class has that name
   * @throws RunException if there is no such class
   */
  public int number(String name) {
    int found = labels().indexOf(name);
    if (found >= 0) {
      return found;
    }
    if (name.matches("\\d{1,9}") && Integer.parseInt(name) < labels().size()) {
      return Integer.parseInt(name);
    }
    throw new RunException(
        "there is no class '"
            + name
            + "'"
            + Nearest.hint(name, labels())
            + ": expected a number from 0 to "
            + (labels().size() - 1)
            + ", or one of "
            + shown(labels()));
  }

  private static String shown(List<String> names) {
    String list = String.join(", ", names.subList(0, Math.min(20, names.size())));
    return names.size() > 20 ? list + ", …" : list;
  }

  /**
   * Makes images of a class.
   *
   * @param label number of the class, or -1 for images of any class
   * @param count N, how many
   * @return [N, C, S, S], 0 to 1
   */
  public Tensor generate(int label, int count, ImageSampling sampling) {
    return generate(label, count, sampling, done -> {});
  }

  /**
   * Makes images of a class, showing progress.
   *
   * @param progress called with the number of steps done of {@link #steps}
   * @throws RunException if what the model makes is no number, as with weights that diverged
   */
  public synchronized Tensor generate(
      int label, int count, ImageSampling sampling, LongConsumer progress) {
    if (label < -1 || label >= labels().size()) {
      throw new RunException(
          "the class is "
              + label
              + ": expected 0 to "
              + (labels().size() - 1)
              + ", or -1 for images of any class");
    }
    if (count < 1) {
      throw new RunException("the count is " + count + ": expected at least one image");
    }
    int[] all = new int[count];
    Arrays.fill(all, label < 0 ? model.noClass() : label);
    Tensor images = of(model, all, sampling, progress);
    if (Double.isNaN(images.sum().item())) {
      throw new RunException(
          "the model makes images of NaN: its training has diverged, or its weights are broken");
    }
    return images;
  }

  /** The number of steps that making so many images takes, for progress. */
  public static long steps(int count, ImageSampling sampling) {
    return (long) sampling.steps() * ((count + TOGETHER - 1) / TOGETHER);
  }

  /**
   * Makes images with a model in inference mode.
   *
   * @param labels the class of each image; the model's number for none, for no class
   */
  public static Tensor of(
      DiffusionModel model, int[] labels, ImageSampling sampling, LongConsumer progress) {
    List<Tensor> made = new ArrayList<>();
    try {
      each(model, labels, sampling, progress, images -> made.add(images.keep()));
      return Tensor.cat(0, made.toArray(Tensor[]::new));
    } finally {
      made.forEach(Tensor::close);
    }
  }

  /**
   * Makes images some at a time, so that not all of them are in memory.
   *
   * @param batch gets images [n, C, S, S], 0 to 1, which are released when it returns
   */
  static void each(
      DiffusionModel model,
      int[] labels,
      ImageSampling sampling,
      LongConsumer progress,
      Consumer<Tensor> batch) {
    HeunSampler sampler = new HeunSampler(sampling.steps());
    for (int from = 0; from < labels.length; from += TOGETHER) {
      int[] some = Arrays.copyOfRange(labels, from, Math.min(labels.length, from + TOGETHER));
      long before = (long) from / TOGETHER * sampling.steps();
      try (Scope scope = Scope.open();
          Mode mode = Autograd.noGrad()) {
        Denoiser denoiser = model.denoiser(Tensor.of(some).to(DType.INT64), sampling.guidance());
        Tensor noise = noise(model, sampling.seed(), from, some.length);
        Tensor images = sampler.sample(denoiser, noise, done -> progress.accept(before + done));
        batch.accept(images.add(1.0).mul(0.5).clamp(0, 1));
      }
    }
  }

  /** Noise of images, each from a stream of the seed and the image's number. */
  private static Tensor noise(DiffusionModel model, long seed, int first, int count) {
    int size = model.config().size();
    int channels = model.config().channels();
    float[] values = new float[count * channels * size * size];
    int at = 0;
    for (int i = 0; i < count; i++) {
      SplittableRandom random = ImageDraws.of(seed, (long) first + i);
      for (int end = at + channels * size * size; at < end; at++) {
        values[at] = (float) random.nextGaussian();
      }
    }
    return Tensor.of(values, count, channels, size, size);
  }

  /** Releases the model. */
  @Override
  public synchronized void close() {
    model.close();
  }
}
