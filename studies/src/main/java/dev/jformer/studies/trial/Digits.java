package dev.jformer.studies.trial;

import dev.jformer.data.image.Augmentation;
import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.data.image.ImageSource;
import dev.jformer.ffn.Mlp;
import dev.jformer.io.TemporaryFolder;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.model.vision.VisionTransformer;
import dev.jformer.nn.Activation;
import dev.jformer.studies.DataSets;
import dev.jformer.studies.Scale;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.ImageClassification;
import java.awt.image.BufferedImage;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;
import javax.imageio.ImageIO;

/**
 * Handwritten digits of 8 x 8 pixels, the smallest image data set: of 1,797 the first four fifths
 * are for training, the rest, by other writers, are the test. At smoke scale they are made of noise
 * around ten fixed patterns.
 */
public final class Digits implements AutoCloseable {
  private static final int SIZE = 8;
  private static final int CLASSES = 10;
  private static final int WHITE = 16;
  private static final int MADE_UP = 150;
  private static final double HELD_OUT = 0.1;

  private final TemporaryFolder folder;
  private final ImageFile training;
  private final ImageFile test;

  /** Reads the digits into a temporary folder, which is deleted on close. */
  public Digits(Scale scale) {
    try {
      List<int[]> rows = scale == Scale.SMOKE ? madeUp() : read();
      int count = rows.size() * 4 / 5;
      this.folder = TemporaryFolder.create("digits");
      this.training = open(folder.path().resolve("training"), rows.subList(0, count));
      this.test = open(folder.path().resolve("test"), rows.subList(count, rows.size()));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the digits", e);
    }
  }

  /** Rows of 64 pixels, 0 to 16, and a label. */
  public static List<int[]> read() throws IOException {
    Path file = DataSets.require("digits/digits.csv.gz");
    try (BufferedReader reader =
        new BufferedReader(
            new InputStreamReader(
                new GZIPInputStream(Files.newInputStream(file)), StandardCharsets.UTF_8))) {
      return reader
          .lines()
          .map(l -> Arrays.stream(l.split(",", -1)).mapToInt(v -> (int) Double.parseDouble(v)))
          .map(IntStream::toArray)
          .toList();
    }
  }

  private static List<int[]> madeUp() {
    List<int[]> rows = new ArrayList<>();
    SplittableRandom noise = new SplittableRandom(1);
    for (int i = 0; i < MADE_UP; i++) {
      SplittableRandom pattern = new SplittableRandom(i % CLASSES);
      int[] row = new int[SIZE * SIZE + 1];
      for (int j = 0; j < SIZE * SIZE; j++) {
        row[j] = Math.max(0, Math.min(WHITE, pattern.nextInt(WHITE) + noise.nextInt(5) - 2));
      }
      row[SIZE * SIZE] = i % CLASSES;
      rows.add(row);
    }
    return rows;
  }

  private static ImageFile open(Path place, List<int[]> rows) throws IOException {
    Path source = place.resolve("png");
    for (int i = 0; i < rows.size(); i++) {
      int[] row = rows.get(i);
      BufferedImage image = new BufferedImage(SIZE, SIZE, BufferedImage.TYPE_INT_RGB);
      for (int j = 0; j < SIZE * SIZE; j++) {
        int grey = row[j] * 255 / WHITE;
        image.setRGB(j % SIZE, j / SIZE, grey << 16 | grey << 8 | grey);
      }
      Path file = source.resolve(row[SIZE * SIZE] + "/" + i + ".png");
      Files.createDirectories(file.getParent());
      ImageIO.write(image, "png", file.toFile());
    }
    return ImageFile.prepare(place.resolve("pixels"), ImageSource.open(source), SIZE, n -> {});
  }

  /** A vision transformer for digits, with patches of 2 x 2 and the mean of its tokens. */
  public static VisionTransformer.Config vision(int layers, int width, int heads) {
    return Small.vision(2, layers, width, heads).with(c -> c.size(SIZE).classes(CLASSES));
  }

  /** A vision transformer for digits with a perceptron of {@code units} times the width. */
  public static VisionTransformer.Config vision(int layers, int width, int heads, double units) {
    return vision(layers, width, heads)
        .withBlock(
            b ->
                b.mixer(new SoftmaxAttention.Config(heads, 0))
                    .ffn(new Mlp.Config(Activation.GELU, 0, (int) Math.round(units * width))));
  }

  /** The number of images to learn from, those held out included. */
  public int count() {
    return training.count();
  }

  /** The number of test images. */
  public int testCount() {
    return test.count();
  }

  /** The number of updates in an epoch. */
  public int updates(int batch) {
    return (int) Math.ceil((1 - HELD_OUT) * count() / batch);
  }

  /** Builds a model with random weights that standardises its input as the images need. */
  public VisionTransformer model(VisionTransformer.Config config, long seed) {
    Random.seed(seed);
    VisionTransformer model = config.build();
    standardise(model);
    return model;
  }

  private void standardise(ImageModel model) {
    try (Scope scope = Scope.open()) {
      Tensor[] channels = sampler(1, 1).channels();
      model.standardise(channels[0], channels[1]);
    }
  }

  /** Draws batches of training images, unchanged; a tenth is held out. */
  public ImageSampler sampler(int batch, long seed) {
    return new ImageSampler(training, HELD_OUT, Augmentation.none(), batch, seed);
  }

  /** The task of learning the digits. */
  public ImageClassification task(ImageModel model, int batch, long seed) {
    return new ImageClassification(model, sampler(batch, seed), 0);
  }

  /** The accuracy of a classifier on the test images, 0 to 1. */
  public double right(ImageModel model) {
    int[] same = IntStream.range(0, CLASSES).toArray();
    return ImageClassification.evaluate(model, test, same).accuracy();
  }

  /** All training images, in order. */
  public ImageFile training() {
    return training;
  }

  /** All test images, in order. */
  public ImageFile test() {
    return test;
  }

  @Override
  public void close() {
    training.close();
    test.close();
    folder.close();
  }
}
